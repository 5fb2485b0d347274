"""One driver for each official SDK: the same verbs, by its own clients and objects, in both kinds."""
