"""How likely an approval is: raw rates, a first model beside them, and how well both hold later."""
