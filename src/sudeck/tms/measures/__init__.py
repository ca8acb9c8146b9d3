"""From the responses of one hemisphere and muscle to its measures."""
