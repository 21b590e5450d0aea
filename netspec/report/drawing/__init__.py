"""The drawing of a net with a lane for each device: what is drawn, where it stands, how lines run. It reads no spec."""
