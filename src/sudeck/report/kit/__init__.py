"""What every page shares: template engine, text, figures, interval bars."""
