"""What planning has to know of the attack. It is imported to plan: nothing heavy here."""

from swapset.plugins import Plugin

PLUGINS = {
    "lb-grey": Plugin(
        "swapset_example.attack:LBGrey",
        {"settings": ("epsilon", "iterations", "step", "decay", "budget"), "several": False},
    )
}
