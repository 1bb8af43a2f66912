"""What was committed on its way to the platforms: in order, once, no faster than they allow."""
