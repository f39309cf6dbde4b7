#!/bin/sh
# Installs what the C++ reference of the benchmarks is built with, on Debian and Ubuntu. Needs root.
set -eu
apt-get update
apt-get install --yes --no-install-recommends g++ make libquickfix-dev libzmq3-dev
