"""Recipes: what a training is, as YAML and as objects. Only this layer and the command line know a config."""
