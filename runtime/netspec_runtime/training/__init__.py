"""Training: batches, the paper's recipe, checkpoints, runs, evaluation. It never imports the compiler."""
