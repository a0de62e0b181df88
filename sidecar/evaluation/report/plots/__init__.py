"""The plots of an evaluation's page, each a piece of inline SVG that matplotlib draws."""
