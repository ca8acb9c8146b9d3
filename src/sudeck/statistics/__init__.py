"""What knows nothing of CRPS: regression, mixed models, ROC, calibration, intervals, sample sizes."""
