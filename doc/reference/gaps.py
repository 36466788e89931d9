# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""What the comments of the headers do not say, and a page of the reference has to.

Overloads are one entry of the reference: what one of them says counts for all.
"""

from model import Compound


def find(library, is_object):
    return []
