"""Referrals (移送/转办/升级): what is sent to somebody who must decide it, and what becomes of it there."""
