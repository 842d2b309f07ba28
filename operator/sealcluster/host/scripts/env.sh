export PATH LC_ALL=C
