"""What happened to one fictional patient: the causal tree, and what is told beside it."""

import re

from . import plans
from .world import DISEASES, DOMAINS, NEVER, SEEN_BY_EXAM, alike

MALE = re.compile("前立腺|精巣|陰茎|陰嚢|精索|男性|クラインフェルター|勃起")
FEMALE = re.compile("子宮|卵巣|妊娠|膣|腟|月経|産褥|分娩|胎盤|閉経|女性|帝王切開|子癇|絨毛|授乳|乳汁|ターナー|流産")
CHILD = re.compile("小児|若年性|川崎病|先天性|学童|乳幼児|デュシェンヌ|麻疹|手足口病")


class Node:
    """A node of the causal tree: `core` is what it is told apart by, `words` how this report names it."""

    __slots__ = ("label", "what", "core", "children", "parent", "number", "words", "late", "exam", "shown", "told")

    def __init__(self, label, what, core, number):
        self.label, self.what, self.core, self.number = label, what, core, number
        self.children, self.parent, self.words, self.late, self.exam, self.shown, self.told = [], None, None, False, None, None, 0

    def add(self, child):
        child.parent = self
        self.children.append(child)

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()


class Case:
    """What happened to one fictional patient, before anybody writes it down."""

    def __init__(self, world, rng, findings):
        self.world, self.rng = world, rng
        self.nodes = []
        self.primary_label = rng.choices(world.primaries,
            world.primary_weights)[0] if rng.random() < 0.65 else rng.choice(world.primaries)
        self.person()
        self.primary = self.node(self.primary_label)
        self.root = self.primary
        self.domain = world.domain[self.primary_label]
        if self.domain not in DOMAINS:
            self.domain = rng.choice(DOMAINS)
        self.above()
        self.below(self.primary, 0)
        self.roots = [self.root]
        if rng.random() < 0.3:
            self.adverse()
        if rng.random() < 0.14:
            self.second()
        if rng.random() < 0.2:
            self.unlisted_complication()
        self.findings(findings)
        self.invented()
        self.others()

    def person(self):
        rng, label = self.rng, self.primary_label
        self.sex = "M" if MALE.search(label) else "F" if FEMALE.search(label) else rng.choice("MF")
        if CHILD.search(label) and rng.random() < 0.6:
            self.age = rng.randint(3, 17)
        elif self.sex == "F" and re.search("妊娠|産褥|分娩|子癇|胎盤|授乳|流産|帝王切開|絨毛", label):
            self.age = rng.randint(22, 42)
        else:
            self.age = int(rng.triangular(16, 92, 66))

    def fits(self, label):
        """Whether a condition may befall this patient beside what is already there."""
        if NEVER.search(label) or (self.sex == "M" and FEMALE.search(label)) or (self.sex == "F" and MALE.search(label)):
            return False
        if self.age > 17 and re.search("小児|学童|乳幼児", label):
            return False
        return True

    def new(self, core, limit=0.6):
        return all(core != node.core and alike(core, node.core) < limit for node in self.nodes)

    def node(self, label, what=None, core=None):
        node = Node(label, what or self.world.sort(label), core or label, len(self.nodes))
        self.nodes.append(node)
        return node

    def above(self):
        """What prepared the primary disease, up to three steps above it."""
        rng, world = self.rng, self.world
        for chance in (0.85, 0.55, 0.3):
            if rng.random() >= chance:
                return
            options = {"exposure": [], "disease": []}
            known = world.causes.get(self.root.label) or world.causes.get(world.parent.get(self.root.label), {})
            for cause, (relation, share) in known.items():
                what = world.sort(cause)
                if relation in ("causes", "predisposes",
                    "complicates") and (what in DISEASES or what == "exposure") and self.fits(cause):
                    core = cause[2:] if what == "exposure" else cause
                    if self.new(core, 0.55):
                        options["exposure" if what == "exposure" else "disease"].append(((cause, what, core), share + 0.08))
            if self.root.what == "exposure":
                options["disease"] += [((label, "disease", label), 1) for label in self.indications()
                    if self.new(label) and self.fits(label)]
            stock = options["exposure"] if options["exposure"] and (not options["disease"]
                or rng.random() < 0.5) else options["disease"]
            if not stock:
                return
            (cause, what, core), _ = rng.choices(stock, [weight for _, weight in stock])[0]
            node = self.node(cause, what, core)
            node.add(self.root)
            self.root = node

    def indications(self):
        """What the drug or operation of the root was given for."""
        bare = re.sub("(使用|投与|内服|摂取)$", "", self.root.core)
        name = self.world.class_of.get(bare, "") + "|" + bare
        if re.search("胃切除|胃全摘", bare):
            return ["胃癌", "胃潰瘍"]
        if re.search("透析", bare):
            return ["慢性腎不全", "糖尿病性腎症"]
        if re.search("移植", bare):
            return ["急性骨髄性白血病", "肝硬変", "末期腎不全", "再生不良性貧血"]
        if re.search("放射線|照射", bare):
            return ["肺癌", "子宮頸癌", "乳癌", "前立腺癌", "上咽頭癌"]
        return next((diseases for pattern, diseases in plans.INDICATIONS if re.search(pattern, name)
            and bare in self.world.class_of), [])

    def below(self, node, depth):
        """Complications and intermediate pathologies under `node`, up to three steps."""
        rng, options = self.rng, []
        for effect, (relation, what, share) in self.world.of(node.label).items():
            if what in DISEASES and relation in ("causes", "complicates", "manifests_as") and self.fits(effect):
                options.append((rng.random() ** (1 / (share + 0.02)), effect))
        options.sort(reverse=True)
        most = rng.choice((0, 1, 2, 2, 3, 3, 4)) if depth == 0 else rng.choice((0, 0, 1, 1, 1, 2))
        for _, effect in options:
            if most <= 0 or depth > 2:
                return
            if self.new(effect, 0.5):
                child = self.node(effect)
                node.add(child)
                child.late = depth == 0 and rng.random() < 0.4 or node.late
                most -= 1
                self.below(child, depth + 1)

    def adverse(self):
        """A treatment of the primary disease that does harm."""
        rng, world = self.rng, self.world
        classes, drugs, treatments = remedies(self.primary_label)
        stock = drugs + treatments + [drug for name in classes for drug in world.drug_class.get(name, ())]
        rng.shuffle(stock)
        for drug in stock[:12]:
            label = next((label for label in (f"H:{drug}使用", f"H:{drug}", f"H:{drug}後") if label in world.effects), None)
            if label is None or not self.new(drug, 0.7):
                continue
            effects = [(effect, what, share) for effect, (_, what, share) in world.effects[label].items()
                if what in DISEASES or what in ("symptom", "sign", "lab_state", "test")]
            rng.shuffle(effects)
            effects.sort(key=lambda effect: -effect[2] * rng.random())
            for effect, what, _ in effects[:3]:
                if not self.fits(effect) or what in DISEASES and not self.new(effect, 0.55):
                    continue
                exposure = self.node(label, "exposure", label[2:])
                harm = self.node(effect) if what in DISEASES else self.finding(effect, what)
                if harm is None:
                    self.nodes.pop()
                    continue
                exposure.late = harm.late = True
                exposure.add(harm)
                self.primary.add(exposure)
                return

    def unlisted_complication(self):
        """A complication that no dictionary lists, with a finding of its own."""
        rng = self.rng
        label = unlisted(rng, self.world)
        if not self.new(label, 0.5) or not self.fits(label):
            return
        child = self.node(label, "disease")
        rng.choice([self.primary, self.primary, *self.primary.children]).add(child)
        child.late = child.parent.late or rng.random() < 0.4
        words, exam = phrase(rng, rng.choice(plans.DOMAIN_GRAMMAR[self.domain]), label)
        if rng.random() < 0.6 and self.new(words, 0.7):
            finding = self.node(f"{exam}={words}", "exam", words)
            finding.exam, finding.shown, finding.words, finding.late = exam, words, words, child.late
            child.add(finding)

    def second(self):
        """A disease of its own beside the tree of the primary disease."""
        for label in self.rng.sample(plans.PAST, 5):
            if label in self.world.kind and self.new(label, 0.5) and self.fits(label) and all(alike(label,
                cause) < 0.8 for cause in self.world.causes.get(self.primary_label, ())):
                self.roots.append(self.node(label))
                return

    def findings(self, count):
        """Findings by their frequency, each under the most specific disease that explains it."""
        rng, pool = self.rng, {}
        diseases = [node for root in self.roots for node in root.walk() if node.what in DISEASES]
        below = {id(node) for node in self.primary.walk()}
        for node in diseases:
            depth, up = 0, node
            while up.parent:
                depth, up = depth + 1, up.parent
            role = (1.0 if node is self.primary else 0.8) if id(node) in below else 0.3
            expected = {effect: (None, "test", 0.3) for pattern, results in plans.EXPECTED
                if re.search(pattern, node.label) for effect in results if effect.split("/")[0] in self.world.tests}
            for effect, (_, what, share) in {**expected, **self.world.of(node.label)}.items():
                if what not in DISEASES and what != "exposure":
                    known = pool.get(effect)
                    better = (share >= 0.4, depth, share)
                    if known is None:
                        pool[effect] = [share * role, better, node, what]
                    else:
                        known[0] = 1 - (1 - known[0]) * (1 - share * role)
                        if better > known[1]:
                            known[1], known[2] = better, node
        keyed = sorted(((rng.random() ** (1 / (share + 0.005)), effect) for effect, (share, *_) in pool.items()), reverse=True)
        room = {"symptom": max(2, round(count * 0.3)), "sign": round(count * 0.25), "test": round(count * 0.5),
            "exam": max(1, round(count * 0.32)), "lab_state": round(count * 0.12)}
        left = count
        for _, effect in keyed:
            _, _, owner, what = pool[effect]
            group = "exam" if what in SEEN_BY_EXAM else "sign" if what == "site" else what
            if left <= 0 or room.get(group, 0) <= 0 or not self.fits(effect):
                continue
            node = self.finding(effect, what)
            if node:
                owner.add(node)
                node.late = owner.late
                room[group] -= 1
                left -= 1

    def finding(self, effect, what):
        world, rng = self.world, self.rng
        if what == "exam" or what in SEEN_BY_EXAM:
            exam, words = effect.split("=", 1) if what == "exam" else (rng.choice(world.exam_of[effect])
                if effect in world.exam_of else None, effect)
            if exam is None or not self.new(words):
                return None
            node = self.node(f"{exam}={words}", "exam", words)
            node.exam, node.shown = exam, words
            return node
        if what == "test":
            test = effect.rsplit("/", 1)[0]
            if any(node.what not in DISEASES and (node.core == test or self.says(node.core, test))
                for node in self.nodes) or test == "血圧" and any(n.core.endswith("期血圧") for n in self.nodes):
                return None
            return self.node(effect, "test", test)
        core = effect.split("@")[0] if what == "site" else effect
        if not self.new(core) or any(node.what == "test" and self.says(core, node.core) for node in self.nodes):
            return None
        if what in ("sign", "symptom") and rng.random() < 0.7 and len(effect) <= 6 and not any(
                organ in effect for organ in PLACED):
            sites = next((sites for pattern, sites in plans.SITES if re.search(pattern, effect)), None)
            if sites:
                return self.node(f"{effect}@{rng.choice(sites)}", "site", core)
        return self.node(effect, what, core)

    def says(self, state, test):
        """Whether a named state is a result of this test: 頻脈 of 脈拍."""
        row = self.world.tests[test]
        return state in (row["low_label"], row["high_label"],
            row["positive_label"]) or test in state or any(name in state for name in self.world.names[("k", test)][0]
            if len(name) > 2)

    def invented(self):
        """Findings that no dictionary lists, from the grammars of plans.py."""
        rng = self.rng
        owners = [node for node in self.primary.walk() if node.what in DISEASES]
        about = "".join(node.core for node in self.nodes if node.what in DISEASES or node.what == "exam")
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            grammar = rng.choice(plans.DOMAIN_GRAMMAR[self.domain])
            words, exam = phrase(rng, grammar, about)
            if self.new(words, 0.7) and self.fits(words):
                node = self.node(f"{exam}={words}", "exam", words)
                node.exam, node.shown, node.words = exam, words, words
                owner = rng.choice(owners) if rng.random() < 0.3 else self.primary
                owner.add(node)
                node.late = owner.late
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            words = sign_phrase(rng, rng.choice(plans.DOMAIN_SIGNS[self.domain]))
            if self.new(words, 0.7):
                node = self.node(words, "felt" if words[-1] in "痛み感れ力鈍下麻" else "seen", words)
                self.primary.add(node)

    def others(self):
        """Diseases that were thought of, findings that were not there, and what else a history holds."""
        rng, world = self.rng, self.world
        cores = [node.core for node in self.nodes]

        def apart(words, limit=0.5):
            return all(alike(words, core) < limit for core in cores) and self.fits(words)

        self.thought = []
        seeds = [node.label for node in self.nodes if node.label in world.shows]
        for _ in range(8):
            options = world.shows[rng.choice(seeds)] if seeds and rng.random() < 0.85 else world.known
            label = rng.choice(options) if rng.random() < 0.85 else unlisted(rng, world)
            if apart(label) and all(alike(label, other) < 0.5 for other in self.thought) and world.parent.get(label) not in cores:
                self.thought.append(label)
        self.thought = self.thought[: rng.choice((0, 1, 1, 2, 2, 3, 4))]
        self.absent = {"felt": [], "seen": [], "image": [], "test": []}
        for label in self.thought + [self.primary_label]:
            for effect, (_, what, _) in world.of(label).items():
                if what == "symptom" and apart(effect):
                    self.absent["felt"].append(effect)
                elif what == "sign" and apart(effect):
                    self.absent["seen"].append(effect)
                elif what == "exam":
                    exam, words = effect.split("=", 1)
                    if apart(words):
                        self.absent["image"].append((exam, words))
                elif what == "test":
                    test = effect.rsplit("/", 1)[0]
                    if test not in cores:
                        self.absent["test"].append(test)
        common = plans.ABSENT["any"] + plans.ABSENT[self.domain] * 2
        for kind in ("felt", "seen"):
            self.absent[kind] += [words for words in rng.sample(common, 6) if apart(words)]
            self.absent[kind] = list(dict.fromkeys(self.absent[kind]))
            rng.shuffle(self.absent[kind])
        for kind in ("image", "test"):
            self.absent[kind] = list(dict.fromkeys(self.absent[kind]))
            rng.shuffle(self.absent[kind])
        self.past = []
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3))):
            draw = rng.random()
            label = rng.choice(plans.PAST) if draw < 0.7 else rng.choice(world.known) if draw < 0.88 else unlisted(rng, world)
            if apart(label) and label not in self.past and label not in self.thought:
                self.past.append(label)
        self.general = [label for label in [self.primary_label, self.root.label] + self.thought
            if world.kind.get(label) in DISEASES]
        self.general += rng.sample(world.known, 2) + [unlisted(rng, world)] * (rng.random() < 0.3)
        self.general_findings = [effect for effect, (_, what, share) in world.of(self.primary_label).items()
            if what in ("symptom", "sign", "lab_state") + tuple(DISEASES)] or plans.ABSENT[self.domain]


def remedies(label):
    """Drug classes, drugs and treatments that suit a disease."""
    return next((rest for words, *rest in plans.THERAPY if any(word in label for word in words)), list(plans.THERAPY_ANY))


ORGANS = "肺胸縦肝膵脾腎副腸盲胃食道胆膀門脳橋延髄視小下垂海椎頸腰心室房弁冠肋骨皮糸"


PLACED = "片肢腹胸頸顔眼耳口唇手足趾指膝肩腿背腰半関肺心球結右左両節側膚鼻粘喉咽舌陰肛骨脳網乳膜頭髪爪胃腸肝腎尿全身歯甲気"
LESION = re.compile("腫|結節|嚢|影|域|信号|潰瘍|びらん|病変|出血|浸潤|肉芽|沈着|隆起|膿瘍|血栓|壊死|線維化|増殖|細胞")


def phrase(rng, grammar, about=""):
    """A finding of an examination that no dictionary lists, and the examination; in an organ of `about` if it names one."""
    parts = plans.GRAMMAR[grammar]
    near = [site for site in parts["sites"] if any(organ in site for organ in ORGANS if organ in about)]
    site, lesion, feature = rng.choice(parts["sites"]), rng.choice(parts["lesions"]), rng.choice(parts["features"])
    if near and rng.random() < 0.8:
        site = rng.choice(near)
    size = f"径{rng.randint(4, 90)}mm大の" if rng.random() < 0.5 and re.search("腫|結節|嚢|膿瘍|血栓|潰瘍|ポリープ", lesion) else ""
    form = rng.random()
    if not LESION.search(lesion):
        form = min(form, 0.44)
    if grammar == "ecg":
        words = f"{site}の{lesion}" if form < 0.6 else f"{site}の{feature}{lesion}" if form < 0.8 else f"{site}における{lesion}"
    elif form < 0.25:
        words = f"{site}の{size}{lesion}"
    elif form < 0.45:
        words = f"{site}の{feature}{lesion}"
    elif form < 0.6:
        words = f"{site}に{feature}{size}{lesion}"
    elif form < 0.7:
        words = f"{feature}{site}の{lesion}"
    elif form < 0.78:
        words = f"{site}{lesion}"
    elif form < 0.86:
        words = f"{feature}{size}{lesion}"
    elif form < 0.93:
        words = f"{site}から{rng.choice(parts['sites'])}にかけての{lesion}"
    else:
        words = f"{site}の{lesion}と{rng.choice(parts['lesions'])}"
    exams = next((exams for pattern, exams in plans.EXAM_OF_SITE.get(grammar, ()) if re.search(pattern, words)), parts["exams"])
    return words, rng.choice(exams)


def unlisted(rng, world):
    """The name of a disease that the dictionaries need not know."""
    if rng.random() < 0.2:
        return rng.choice(world.organisms) + rng.choice(plans.ORGANISM_MAKES)
    return rng.choice(plans.DISEASE_KINDS) + rng.choice(plans.DISEASE_ORGANS) + rng.choice(plans.DISEASE_LESIONS)


def sign_phrase(rng, grammar):
    left, middle, heads = plans.SIGN_GRAMMAR[grammar]
    site, feature, head = rng.choice(left), rng.choice(middle), rng.choice(heads)
    form = rng.random()
    if form < 0.45:
        return f"{site}の{feature}{head}"
    if form < 0.7:
        return f"{feature}{site}の{head}" if not feature.endswith("ような") else f"{site}の{feature}{head}"
    return f"{site}の{head}" if form < 0.85 else f"{feature}{head}" if feature else f"{site}の{head}"
