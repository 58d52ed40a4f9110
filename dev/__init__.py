"""The development environment of this checkout: everything behind `make` and `bin/odoo`."""
