"""Training: the engine that steps the players, the loop around it, checkpoints, averages and logs."""
