"""The rules, by what they are about: each module registers its own."""
