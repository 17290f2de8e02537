// SPDX-License-Identifier: Apache-2.0
// A shared object that registers nothing.
int nothing_here = 0;
