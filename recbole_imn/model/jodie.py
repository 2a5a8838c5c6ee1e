"""JODIE (Kumar, Zhang and Leskovec, KDD 2019) on the same engine."""

from __future__ import annotations

from recbole_imn.model.imnnet import IMNNet


class JODIE(IMNNet):
    """Mutually recursive user and item states and a prediction of the next item.

    No limited state and no density ratio; drift losses on both states; the prediction's
    target is the item's static and dynamic part, and items are ranked by their distance to
    it. With ``online_updates`` the weights go on learning from each window of test events
    after it has been scored, as its authors do.
    """
