"""What a person sees of a deletion: how many machines are released already."""

from sim.lives import cluster, live


def test_released_machines_are_counted():
    async def tell(life):
        await life.settled()
        seen = []
        life.each.append(lambda report: seen.append((report.step.done, report.step.total)) if report.step else None)
        spec = life.sim.desired.spec
        life.sim.wish(spec, deleting=True)
        await life.until(lambda report: report.view.deleting and not report.view.state.inventory)
        assert sorted(seen) == seen
        assert {done for done, _ in seen} >= {0, 1, 2}
        assert {total for _, total in seen} == {3}

    live(cluster("m1", "w1", "w2"), tell)
