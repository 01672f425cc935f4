"""Models: which there are, which fit a person and a machine, and how they get here whole or not at all.

`manifest` reads catalogue.toml, `recommend` chooses, `network` and `download` fetch, `archive` unpacks, `shelf` keeps
the models folder in order, `pull` puts these together.
"""
