"""Known answers of the real libraries, one module per file of `testdata/vectors/`.

Every module has `rows()`, which yields the lines of its file. Inputs are typed by hand, expected
values never are.
"""
