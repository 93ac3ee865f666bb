"""What is tested against the real libraries, one kind of agreement per module.

A suite makes random cases and says what is wrong with each; `driver` runs it in batches and shrinks what fails.
"""
