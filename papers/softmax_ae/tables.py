"""Networks printed as tables: layer, output shape, parameters, the printed total beside."""


def print_networks(networks: list, printed: dict[str, int]) -> None:
    """Print each Keras model layer by layer; `printed` maps a model's name to the total its paper or program states."""
    for network in networks:
        print(f"\n{network.name}\n{'layer':28}{'output shape':26}{'parameters':>14}")
        for layer in network.layers:
            shape = getattr(layer.output, "shape", None)
            shown = "(" + ", ".join("batch" if n is None else str(n) for n in shape) + ")" if shape else ""
            print(f"{layer.name[:27]:28}{shown:26}{layer.count_params():>14,}")
        total, stated = network.count_params(), printed.get(network.name)
        print(f"{'total':54}{total:>14,}" + ("" if stated is None else f"   printed: {stated:,}"
                                               + ("" if stated == total else "  DIFFERS")))
