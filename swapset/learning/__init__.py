"""Parts that all trainings share: device, loop, order of epochs, checkpoints, model files."""
