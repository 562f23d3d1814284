"""What qvmon costs, measured beside the program it means to replace, in the same run.

Two kinds of figures: what the parts do inside this process (``inside``), and what the whole
programs do when they run the same configuration against the same targets (``programs``). CPU
seconds are told apart from wall time, because other work on the machine disturbs only the latter.
"""
