"""The tests against the real libraries, one kind of agreement per module.

A suite creates random cases and reports the problem of each; `driver` runs the suite in batches and
shrinks failures.
"""
