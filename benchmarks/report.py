"""The table, for the screen and for docs/benchmarks.md."""

HEAD = ("goal", "measured", "size", "median", "floor", "result", "range", "asked", "")


def table(results):
    """Text of the results: where and when, then one line per measurement."""
    rows = [HEAD, *(_cells(row) for row in results["rows"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in (0, 1, 8) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    floors = dict.fromkeys((row["name"], row["floor_name"]) for row in results["rows"])
    notes = [f"  {name}: {floor}" for name, floor in floors]
    missed = sum(not row["met"] for row in results["rows"])
    return "\n".join(
        [
            *results["where"],
            "",
            *lines,
            "",
            "Floors, measured in turns with the thing itself:",
            *notes,
            "",
            f"bench: {len(results['rows'])} measurements, {missed} miss what is asked",
        ]
    )


def page(text):
    """The documentation page, written by `make bench` and by nothing else."""
    return (
        "# Measured speed\n\n"
        "Written by `make bench`. Every number stands beside a floor measured in the same run, in\n"
        "turns with it; the ratio is what counts, seconds depend on the machine. `range` is the\n"
        "lowest and highest of the pairs.\n\n"
        f"```text\n{text}\n```\n"
    )


def _cells(row):
    if row["kind"] == "difference":
        found, low, high = (f"{row[key]:+.4g}" for key in ("found", "low", "high"))
        asked = f"<= {row['limit']:+g}"
    else:
        found, low, high = (f"{row[key]:.2f}x" for key in ("found", "low", "high"))
        asked = f"<= {row['limit']:g}x"
    return (
        row["goal"],
        row["name"],
        f"{row['size']:,}",
        _quantity(row["got"], row["unit"]),
        _quantity(row["floor"], row["unit"]),
        found,
        f"{low} to {high}",
        asked,
        "met" if row["met"] else "MISSED",
    )


def _quantity(value, unit):
    if unit != "s":
        return f"{value:,.12g}"
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"
