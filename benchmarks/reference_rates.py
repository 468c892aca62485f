"""Write the rates that come with `swapset plan`, from builds finished on this machine.

Run `python benchmarks/reference_rates.py results/demo results/other`. Rules that none of the builds
ran keep their rates, and so does training on a GPU if none of them trained on one.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from swapset.io.files import write_json
from swapset.planning.rates import REFERENCE, measured_rates, reference_rates

SOURCE = "swapset's own machine"


def main() -> None:
    """Measure the rates and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", type=Path, nargs="+", metavar="DIR")
    measured = {
        rule: asdict(rate) for rule, rate in measured_rates(parser.parse_args().builds).items()
    }
    rates = {rule: asdict(rate) for rule, rate in reference_rates().items()}
    rates |= {rule: {**values, "source": SOURCE} for rule, values in measured.items()}
    shown = {
        rule: {key: round(v, 5) if isinstance(v, float) else v for key, v in values.items()}
        for rule, values in sorted(rates.items())
    }
    write_json(REFERENCE, shown)


if __name__ == "__main__":
    main()
