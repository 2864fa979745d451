"""What the gateway costs, as ratios measured side by side in one run: `./dev bench`.

Ours, nginx as the practical floor, and Portkey's gateway where one is installed, in front of one fake provider, asked by one
load client. Absolute times on shared machines mean little; rounds are interleaved so that noise hits all alike.
`./dev bench console` is another one: pages of the console in an organization with very many keys beside one with few.
"""
