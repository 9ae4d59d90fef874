"""The flights of New York's three airports in 2013, from two CSV files to a summary of the year.

Each module is one stage: `source` finds the files, `raw` turns them into Parquet, `daily` works day
by day, `reports` sums up months and the year, `checks` judges the result, `picture` draws it.
"""
