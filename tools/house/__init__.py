"""What tools/tidy.py measures and holds between the files: names, folders, rooms."""
