"""From files to sweeps that know their stimulus."""
