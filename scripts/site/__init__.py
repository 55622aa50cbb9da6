"""The documentation site: the pages of docs/, with catalogues and pictures made from the code, built by zensical.

`python -m scripts.site` builds it. zensical runs no code of ours while it builds, so the pages are laid together first.
"""
