"""Published examples and real data replayed through the product; started by `make acceptance`."""
