"""A whole paper in miniature, copied beside `common` by tests that change a line of it and call `make`'s step again."""
