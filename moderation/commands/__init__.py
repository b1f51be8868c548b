"""The commands, one file for each; each is imported when it is called."""
