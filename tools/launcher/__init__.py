"""What `./vigia` does: installs, builds, starts, stops and tests. Standard library only, since it runs first."""
