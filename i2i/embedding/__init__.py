"""Other people's programs: a folder that runs a model by itself, with a web page and a program for each language."""
