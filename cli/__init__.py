"""The command line: one file per command.

Every module here whose name has no leading underscore is a command and holds it as ``command``; `main` is the
group that finds them. Modules with a leading underscore are what the commands share.
"""
