"""What graphkit does with broken models, broken pipelines, and runs that are killed on the way.

    python -m benchmarks.faults models --count 500 --seed 1
    python -m benchmarks.faults pipelines --count 500 --seed 1
    python -m benchmarks.faults kills --count 500 --seed 1

Every case follows from the seed and its number alone: `--first NUMBER --count 1 --keep DIR` makes it again.
"""
