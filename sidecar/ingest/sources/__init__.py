"""Where documents come from: files of rows, folders, other indexes; all read as records, from any of their rows on."""
