"""Models that others ship, through every pass, pipeline and analysis of graphkit, and through the simplifiers.

    python -m benchmarks.corpus --packages models --install      # download what is not there, and run everything
    python -m benchmarks.corpus --packages models --only silero "pass sort" --journal /tmp/one.jsonl

The journal has a line for each cell; what is in it is not run again. docs/corpus.md says what came out.
"""
