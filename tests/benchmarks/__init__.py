"""Tests of what the benchmarks judge with: a benchmark that lets a wrong model pass says nothing."""
