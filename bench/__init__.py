"""The bench: measures the labs, predicts, judges and draws."""
