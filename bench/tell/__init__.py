"""What people get to see: charts, report, summary, exports."""
