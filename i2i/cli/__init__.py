"""The command line: `i2i VERB ...`. One file per verb, imported only when that verb is asked for."""
