"""The program as its users meet it: processes, pipes, files and terminals."""
