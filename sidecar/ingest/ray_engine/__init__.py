"""The load of a source spread over processes and machines by Ray Data."""
