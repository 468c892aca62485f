"""Record of the attack. Planning imports this file, so it must not import anything heavy."""

from swapset.plugins import Plugin

PLUGINS = {
    "lb-grey": Plugin(
        "swapset_example.attack:LBGrey",
        {"settings": ("epsilon", "iterations", "step", "decay", "budget"), "several": False},
    )
}
