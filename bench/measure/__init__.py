"""How a run is made and what it leaves."""
