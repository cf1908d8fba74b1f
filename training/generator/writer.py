"""Tells a case in the sentences of plans.py, with marks around the mentions."""

import math
import re

from . import plans
from .case import PLACED, remedies
from .marks import END, MIDDLE, START, mark
from .world import DISEASES, alike

GENERIC = re.compile("腫瘤$|結節|[^胸腹]影$|吸収域$|信号$|嚢胞|潰瘍$|びらん$|肥厚$|膿瘍$|血腫$|出血$|発赤$|狭窄$|石灰化$|浸潤$|線維化$|沈着$")


class Style:
    """How one report is written: its headings, endings, numbers."""

    def __init__(self, rng):
        self.kind = rng.choices(("abstract", "flow", "summary", "note", "letter"), (44, 20, 16, 13, 7))[0]
        self.old = self.kind in ("abstract", "flow", "summary") and rng.random() < 0.42
        self.polite = self.kind == "letter"
        self.note = self.kind == "note"
        self.bare = {"abstract": 0.22, "flow": 0.12, "summary": 0.55, "note": 0.95,
            "letter": 0.0}[self.kind] * rng.uniform(0.3, 1.2)
        self.frame = rng.choice(("【{}】", "【{}】", "【{}】", "＜{}＞", "{}：", "〔{}〕", "■{} ",
            "[{}] ")) if self.kind == "abstract" else rng.choice(("{}: ", "{}：", "【{}】", "#{} ",
            "・{}：")) if self.kind == "summary" else rng.choice(("{}: ", "{}) ", "{}：", "{} ",
            "【{}】")) if self.note else ""
        self.lines = self.kind in ("summary", "note") or rng.random() < 0.4
        self.titled = rng.random() < {"abstract": 0.4, "flow": 0.35, "summary": 0.1, "note": 0.05, "letter": 0.0}[self.kind]
        self.abbreviate = rng.uniform(0.0, 0.5) if not self.note else rng.uniform(0.4, 0.9)
        self.units = rng.random() < (0.3 if self.note else 0.8)
        self.unit_space = rng.random() < 0.5
        self.comma = rng.random() < 0.6
        self.myriad = rng.random() < 0.4
        self.gap = rng.choice((" ", " ", "", "", "は", "：", ":")) if not self.note else rng.choice((" ", " ", ":", ""))
        self.list_gap = rng.choice(("、", "、", "、", "，", ", ")) if not self.note else rng.choice(("、", " ", ", ", "、"))
        self.one_sentence_a_line = self.kind == "flow" and rng.random() < 0.4
        self.months = rng.choice(("か月", "か月", "カ月", "ヶ月", "ヵ月"))
        self.since = rng.choice((("より", "から"), ("より",), ("から",), ("より", "から", "頃より", "頃から", "以降")))
        self.together = rng.random() < 0.6


# Predicates of what is there, and so may carry a detail.
KEPT = (plans.SYMPTOM, plans.SIGN, plans.HEARD, plans.FELT, plans.SHOWN_SURE)


class Writer:
    """Tells one case in one style, as a text with marks."""

    def __init__(self, case, style, rng):
        self.case, self.style, self.rng, self.world = case, style, rng, case.world
        self.told = set()
        self.exam_names, self.test_names = {}, {}
        self.good = True

    # -- names ---------------------------------------------------------------------------------------------------------
    def surface(self, label, key=None):
        """One of the names that the dictionaries give a concept."""
        synonyms, abbreviations = self.world.names.get(key or label, ((), ()))
        draw = self.rng.random()
        if abbreviations and draw < self.style.abbreviate * 0.7:
            return self.rng.choice(abbreviations)
        if synonyms and draw > 0.68:
            return self.rng.choice(synonyms)
        return label

    def exam(self, label):
        if label not in self.exam_names or self.rng.random() < 0.15:
            self.exam_names[label] = self.surface(label, ("e", label))
        return mark("e", self.exam_names[label])

    def drug(self, label, number=None):
        return mark("m", self.surface(label, ("m", label)) if self.rng.random() < 0.6 else label, number)

    def words(self, node):
        """The words of this mention of a node: as before, or another of its names."""
        rng = self.rng
        if node.words is None or (node.what not in ("exam", "felt", "seen") and rng.random() < 0.25):
            if node.what == "exam":
                node.words = self.elaborate(node)
            elif node.what in ("felt", "seen"):
                node.words = node.label
            elif node.core == "発熱" and rng.random() < 0.35:
                node.words = rng.choice(plans.FEVER)
            else:
                node.words = self.surface(node.core)
                if node.what in DISEASES and node.told == 0 and rng.random() < 0.06:
                    node.words = rng.choice(("重症", "再発性", "難治性", "続発性", "重度の", "急速進行性")) + node.words
        node.told += 1
        return node.words

    def elaborate(self, node):
        """A finding as reports write it: a name, or a name with site, size and company."""
        rng = self.rng
        words = self.surface(node.shown) if node.shown in self.world.kind else node.shown
        if node.shown not in self.world.kind and node.label.count("の"):
            return words
        draw = rng.random()
        if draw < 0.45 or len(words) > 14:
            return words
        if draw < 0.6 and re.search("腫瘤|結節|嚢胞|潰瘍|ポリープ|膿瘍|血栓|隆起|腫瘍$", words):
            return rng.choice((f"径{rng.randint(5, 80)}mm大の", f"{rng.randint(1, 9)}cm大の",
                f"最大径{rng.randint(10, 70)}mmの", f"{rng.randint(5, 60)}×{rng.randint(5, 40)}mmの")) + words
        if draw < 0.78:
            return rng.choice(("軽度の", "著明な", "多発する", "散在する", "びまん性の", "両側性の", "広範な", "高度な", "少量の", "限局性の", "一部に",
                "新規の", "明らかな", "中等度の")) + words
        grammar = next((name for name, parts in plans.GRAMMAR.items() if node.exam in parts["exams"]), None)
        if grammar and grammar != "ecg" and GENERIC.search(words) and not any(site in words
            for site in ("右", "左", "両", "肺", "肝", "脳", "腎", "膵", "胃", "腸", "脊", "弁", "心", "房", "室")):
            site = rng.choice(plans.GRAMMAR[grammar]["sites"])
            return rng.choice((f"{site}の{words}", f"{site}に{words}", f"{site}優位の{words}"))
        if grammar and GENERIC.search(words):
            feature = rng.choice(plans.GRAMMAR[grammar]["features"])
            return f"{feature}{words}"
        return words

    # -- single mentions ----------------------------------------------------------------------------------------------
    def d(self, node, code="d"):
        """A mention of a node, with the mark of what it is."""
        self.told.add(node.number)
        if node.what == "exposure":
            return self.exposure(node)
        if node.what == "site":
            part, site = node.label.split("@")
            words = self.surface(part)
            if any(organ in words for organ in PLACED):
                words = part
            node.told += 1
            if node.told > 1 and self.rng.random() < 0.6:
                return mark(code, words, node.number)
            if self.rng.random() < 0.25:
                return mark(code, f"{site}の{words}", node.number)
            joint = self.rng.choice(("の", "の", "に"))
            return mark("a", site, node.number) + joint + mark(code, words, node.number)
        if node.what in ("felt", "seen") and self.rng.random() < 0.55 and node.told == 0:
            site, joint, rest = re.match("([^のに]+)?([のに])?(.*)", node.label).groups()
            if site and joint and site[-1] not in "性形型硬軟大能良" and any(site in left for left, _, _ in plans.SIGN_GRAMMAR.values()):
                return mark("a", site, node.number) + joint + mark(code, rest, node.number)
        return mark(code, self.words(node), node.number)

    def exposure(self, node):
        """An exposure as a noun: the drug, the treatment or the habit that caused something."""
        thing, world = node.core, self.world
        for tail in ("使用", "投与", "内服", "摂取"):
            bare = thing.removesuffix(tail)
            if bare != thing and ("m", bare) in world.names:
                return self.drug(bare, node.number)
        bare = thing.removesuffix("後").removesuffix("歴")
        if ("r", bare) in world.names:
            return mark("r", self.surface(bare, ("r", bare)), node.number)
        if bare.endswith(("術", "療法", "手術", "透析", "移植", "照射")):
            return mark("r", bare, node.number)
        return mark("h", bare, node.number)

    @staticmethod
    def oral(node):
        return not re.search("ワクチン|造影|麻酔|輸液|注|製剤|抗体|マブ|セプト|免疫グロブリン|インスリン|吸入|外用|点眼", node.core)

    def exposure_clause(self, node):
        """An exposure told as what happened: 「Aを内服していた」."""
        rng, thing = self.rng, self.exposure(node)
        self.told.add(node.number)
        x = self.ago(rng.choice(("month", "year", "month", "week")))
        if node.parent is not None and node.parent.what in DISEASES and rng.random() < 0.7:
            why = self.d(node.parent) + rng.choice(("に対し", "に対して", "のため", "で", "の治療として"))
            return why + (f"{x}より{thing}" + (" " + self.dose() if rng.random() < 0.25
                else "") + rng.choice(("を内服していた", "を投与されていた", "で治療されていた")) if self.oral(node) and f"{START}m" in thing
                else f"{x}に{thing}を" + rng.choice(("受けていた", "受けた", "施行された" if f"{START}r" in thing else "投与された")))
        if f"{START}m" in thing and not self.oral(node):
            return rng.choice((f"{x}に{thing}の投与を受けた", f"{x}に{thing}を使用した", f"{thing}を{x}に投与された",
                f"{x}、{thing}が投与されていた", f"{thing}使用の既往があった"))
        if f"{START}m" in thing:
            dose = " " + self.dose() if rng.random() < 0.25 else ""
            return rng.choice((f"{x}より{thing}{dose}を内服していた", f"{thing}{dose}を{x}から使用していた", f"{x}に{thing}{dose}が開始された",
                f"{thing}{dose}の投与を受けていた", f"{x}より{thing}{dose}による治療を受けていた", f"{thing}{dose}を服用中であった",
                f"{x}に{thing}を投与された"))
        if f"{START}r" in thing:
            return rng.choice((f"{x}に{thing}を受けていた", f"{x}に{thing}を施行された", f"{thing}を{x}に受けた", f"{thing}の既往があった"))
        return rng.choice((f"{x}より{thing}があった", f"{x}に{thing}の機会があった", f"{thing}の病歴を有していた", f"{x}の{thing}が判明した", f"{thing}を認めた"))

    def other(self, code, label):
        """A mention of something that is no node."""
        return mark(code, self.surface(label))

    def join(self, items):
        if len(items) == 1:
            return items[0]
        rng = self.rng
        if self.style.note:
            return rng.choice(("、", "、", " ", "・", "＋")).join(items)
        if len(items) == 2:
            return rng.choice(("、", "、", "と", "と", "および", "や", "・", "ならびに", "とともに")).join(items)
        draw = rng.random()
        if draw < 0.55:
            return "、".join(items)
        if draw < 0.8:
            return "、".join(items[:-1]) + rng.choice(("と", "および", "、さらに")) + items[-1]
        return "と".join(items) if draw < 0.86 else "、".join(items) + "など"

    def say(self, items, predicates, form="end"):
        """Some mentions and what is said of them. `form`: end of a sentence, or join to go on."""
        rng, style = self.rng, self.style
        particle, joining, past, bare = rng.choice(predicates)
        things = self.join(items) if isinstance(items, list) else items
        kept = any(predicates is stock for stock in KEPT)
        if kept and rng.random() < 0.07:
            things += self.detail(things) if things.endswith(END) else ""
        if particle == "に" and f"{END}に{START}" in things:
            particle, joining, past, bare = "を", "認め", "認めた", "あり"
        if kept and form == "end" and rng.random() < style.bare * 0.3:
            return things
        if style.note or (form == "end" and rng.random() < style.bare):
            if bare[0] in "をにも" or bare in ("あり", "なし"):
                return things + bare
            return things + ("" if style.note and rng.random() < 0.6 else particle) + bare
        if form == "join":
            return things + particle + joining
        return things + particle + (self.kind_words(joining) if style.polite else past)

    def detail(self, things):
        """How much, how large, how often: what stands in brackets after a finding."""
        rng = self.rng
        last = things[things.rfind(MIDDLE) + 1 : -1]
        stock = next((stock for pattern, stock in plans.DETAILS_OF if re.search(pattern, last)), None)
        words = rng.choice(stock if stock and rng.random() < 0.7 else plans.DETAILS)
        words = words.format(n=rng.randint(3, 95), m=rng.randint(3, 60), d=rng.randint(2, 9), g=rng.choice((1, 2, 3, 4)))
        return rng.choice(("（{}）", "（{}）", "({})", " {}" if self.style.note else "（{}）")).format(words)

    @staticmethod
    def kind_words(joining):
        """「認め」 -> 「認めました」, 「認めず」 -> 「認めませんでした」."""
        for tail, polite in (("せず", "しませんでした"), ("明らかでなく", "明らかではありませんでした"), ("乏しく", "乏しいものでした"), ("なく", "ありませんでした"),
            ("的で", "的でした"),
            ("ず", "ませんでした"), ("で", "でした"), ("欠き", "欠いておりました")):
            if joining.endswith(tail):
                return joining[: -len(tail)] + polite
        return joining + "ました"

    def end(self, past, polite, bare=None):
        """A sentence's end in this style."""
        if self.style.polite:
            return polite
        if bare is not None and (self.style.note or self.rng.random() < self.style.bare):
            return bare
        return past

    # -- times, doses, values -----------------------------------------------------------------------------------------
    def ago(self, unit=None):
        rng = self.rng
        unit = unit or rng.choice(("day", "week", "month", "month", "year", "date"))
        near = rng.choice(("", "", "", "約", "入院", "受診"))
        if unit == "day":
            words = rng.choice((f"{near}{rng.randint(2, 12)}日前", "前日", f"{near}{rng.randint(2, 9)}日前", "当日朝", "前夜",
                "昨夜", "今朝", "入院前日", "受診当日"))
        elif unit == "week":
            words = f"{near}{rng.randint(1, 7)}週{rng.choice(('間', '間', ''))}前"
        elif unit == "month":
            words = rng.choice((f"{near}{rng.randint(1, 10)}{self.style.months}前",
                f"{near}{rng.randint(1, 10)}{self.style.months}前", "半年前", "数か月前", "1か月ほど前"))
        elif unit == "year":
            words = rng.choice((f"{near}{rng.randint(1, 20)}年前", f"{max(4, self.case.age - rng.randint(1, 30))}歳時",
                "数年前", f"{rng.randint(2, 20)}年前", "十数年前", f"{max(4, self.case.age - rng.randint(1, 30))}歳頃"))
        else:
            words = rng.choice((f"{rng.randint(1, 12)}月{rng.choice(('上旬', '中旬', '下旬', '初旬', '某日', ''))}",
                f"平成{rng.randint(1, 30)}年{rng.randint(1, 12)}月", f"20{rng.randint(10, 24)}年{rng.randint(1, 12)}月",
                f"X年{rng.randint(1, 12)}月", "昨年夏", "今年初め", "昨年末", f"昨年{rng.randint(1, 12)}月",
                f"平成{rng.randint(1, 30)}年{rng.randint(1, 12)}月{rng.randint(1, 28)}日"))
        return mark("x", words)

    def later(self):
        rng = self.rng
        return mark("x", rng.choice((f"第{rng.randint(2, 45)}病日", f"入院{rng.randint(2, 20)}日目",
            f"{rng.randint(1, 8)}週間後", f"{rng.randint(1, 9)}{self.style.months}後", "翌日", f"{rng.randint(2, 10)}日後",
            f"術後{rng.randint(1, 14)}日目", "翌週", f"投与{rng.randint(2, 14)}日目", f"第{rng.randint(2, 30)}病日",
            f"治療開始{rng.randint(1, 8)}週後", "半年後", "退院後")))

    def dose(self):
        rng = self.rng
        return mark("q", rng.choice(plans.DOSES).format(n=rng.choice((0.5, 1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 75,
            80, 100, 150, 200, 250, 300, 400, 500, 600, 750, 1000)), g=rng.choice((0.5, 1, 1.5, 2, 3, 4, 6, 9, 12))))

    def number(self, value, decimals):
        if decimals <= 0:
            value = int(round(value, decimals))
            return f"{value:,}" if self.style.comma and value >= 1000 else str(value)
        return f"{value:.{decimals}f}"

    def value(self, test, result):
        """A result that shows the direction: a number with its unit, or a word."""
        rng, style, world = self.rng, self.style, self.world
        row = world.tests[test]
        unit = row["unit"].replace("°C", "℃")
        if result in ("陽性", "陰性") or (test not in plans.NUMBERS and test != "血圧"
            and not world.ranges.get(test)) or rng.random() < 0.07:
            word = rng.choice(plans.RESULT_WORDS[result])
            if result == "陽性" and test.endswith("抗体") and rng.random() < 0.2:
                word = rng.choice((f"{2 ** rng.randint(2, 8) * 10}倍", f"{2 ** rng.randint(2, 8) * 10}倍陽性",
                    f"{rng.randint(20, 400)} U/mL", f"{rng.randint(11, 300)} U/mL"))
            return word
        direction = {"低下": 0, "正常": 1, "上昇": 2}[result]
        if test == "血圧":
            high = rng.randint(*((58, 86), (104, 138), (162, 240))[direction])
            low = rng.randint(*((26, 48), (56, 84), (90, 140))[direction])
            return f"{high}/{low}" + (f"{' ' if style.unit_space else ''}mmHg" if style.units else "")
        if test in plans.NUMBERS:
            *spans, decimals = plans.NUMBERS[test]
            low, high = spans[direction]
            value = math.exp(rng.uniform(math.log(low), math.log(high))) if low > 0 and high / low > 4 else rng.uniform(low, high)
        else:
            value, decimals = self.by_range(test, direction)
            if value is not None and unit == "%" and "比" not in test:
                value = min(value, 99)
            if value is None:
                return rng.choice(plans.RESULT_WORDS[result])
        if test in ("血小板", "赤血球") or (test == "白血球" and style.myriad) and value >= 10000:
            if test != "白血球" and (style.myriad or style.note):
                return f"{value / 10000:.1f}万" + (unit if style.units and rng.random() < 0.6
                    else "") if value < 1e6 else f"{value / 10000:.0f}万"
            if test == "白血球":
                return f"{value / 10000:.2f}万" + (unit if style.units else "")
            if rng.random() < 0.3 and test == "血小板":
                return f"{value / 10000:.1f}×10^4" + (unit if style.units else "")
        text = self.number(value, decimals)
        if style.units and unit:
            text += (" " if style.unit_space and unit != "%" and not unit.startswith("/") else "") + unit
        elif unit in ("%", "℃") and rng.random() < 0.7:
            text += unit
        if rng.random() < 0.04:
            text += rng.choice(("と高値", "と上昇", "と増加")) if result == "上昇" else rng.choice(("と低値", "と低下",
                "と減少")) if result == "低下" else ""
        return text

    def by_range(self, test, direction):
        rng, case = self.rng, self.case
        for row in self.world.ranges[test]:
            if row["sex"] in ("", case.sex) and float(row["age_min"] or 0) <= case.age < float(row["age_max"] or 999):
                break
        else:
            return None, 0
        low, high = row["low"], row["high"]
        decimals = max(len(part.partition(".")[2]) for part in (low, high))
        low, high = float(low) if low else None, float(high) if high else None
        narrow = low is not None and high is not None and 0 < high < 2.2 * low
        if direction == 2:
            if high is None:
                return None, 0
            span = (0.06, 0.5) if narrow else (0.15, 2.2)
            return (high * math.exp(rng.uniform(*span)) if high > 0 else rng.uniform(1, 9)), decimals
        if direction == 0:
            if low is None or low <= 0:
                return None, 0
            return low * (rng.uniform(0.6, 0.95) if narrow else rng.uniform(0.15, 0.88)), decimals
        if low is not None and high is not None:
            return rng.uniform(low + (high - low) * 0.1, high - (high - low) * 0.1), decimals
        return (rng.uniform(high * 0.2, high * 0.9), decimals) if high else (low * rng.uniform(1.1, 1.8),
            decimals) if low else (None, 0)

    def unremarkable(self, test):
        """The result that this test gives where nothing is wrong."""
        if test in plans.NUMBERS or self.world.ranges.get(test) and not re.search("抗体|抗原|ANCA|SPOT|グルカン", test):
            return "正常"
        return "陰性" if self.world.tests[test]["positive_label"] or re.search("抗体|抗原|ANCA|培養|PCR|DNA|SPOT|潜血|尿蛋白", test) else "正常"

    def test_name(self, test):
        rng = self.rng
        if test not in self.test_names:
            synonyms, abbreviations = self.world.names.get(("k", test), ((), ()))
            draw = rng.random()
            if self.style.old and test in plans.OLD_TESTS and draw < 0.7:
                name = plans.OLD_TESTS[test]
            elif abbreviations and draw < 0.45:
                name = rng.choice(abbreviations[:2])
            elif synonyms and draw > 0.88 and test not in plans.VITALS:
                name = rng.choice(synonyms)
            else:
                name = test
            self.test_names[test] = name
        return self.test_names[test]

    def pair(self, test, result, number=None):
        """A test and its result."""
        if number is not None:
            self.told.add(number)
        gap, value = self.style.gap, self.value(test, result)
        if gap == "は" and self.rng.random() < 0.6:
            gap = ""
        if gap == "" and value[0] in "(（陽陰高低正上増著強弱感基異検軽減" and self.rng.random() < 0.5:
            gap = self.rng.choice(("", " ", "は"))
        tail = re.match("(.*?)(と(?:高値|上昇|増加|低値|低下|減少))$", value)
        code = mark("v", tail.group(1), number) + tail.group(2)[0] + mark("v", tail.group(2)[1:],
            number) if tail else mark("v", value, number)
        return mark("k", self.test_name(test), number) + gap + code

    # -- parts of the report ------------------------------------------------------------------------------------------
    def pick(self, what, late=False, used=False):
        """The nodes of a kind that are not told yet."""
        return [node for node in self.case.nodes if node.what in what and node.late == late
            and (used or node.number not in self.told)]

    def negate(self, items, kind, form="end"):
        """Findings that are not there."""
        rng = self.rng
        words = items[0] if items else ""
        predicates = plans.NEGATED_FELT if kind == "felt" else plans.NEGATED
        if kind == "seen" and re.search("雑音|ラ音|呼吸音|ギャロップ|捻髪|摩擦音|心音", words):
            predicates = plans.NEGATED_HEARD
        elif kind == "seen" and re.search("腫大$|脾腫|腫瘤|リンパ節", words) and rng.random() < 0.5:
            predicates = plans.NEGATED_FELT_HAND
        marked = [self.other("d-", word) for word in items]
        if self.style.note and form == "end":
            draw = rng.random()
            if draw < 0.45:
                return "、".join(item + rng.choice(("(-)", "（-）", "(−)", "(-)")) for item in marked)
            if draw < 0.8:
                return self.join(marked) + rng.choice(("なし", "なし", "なく", "ない"))[:2]
        if len(marked) > 1 and form == "end" and rng.random() < 0.3:
            return "、".join(marked) + rng.choice(("はいずれも認めない", "はいずれもなし", "はいずれも認めなかった", "などは認めず",
                "のいずれも認めなかった")) if not self.style.polite else self.join(marked) + "はいずれも認めませんでした"
        return self.say(marked, predicates, form)

    def some_absent(self, kind, most=2):
        stock = self.case.absent[kind]
        count = min(len(stock), self.rng.randint(1, most))
        taken, self.case.absent[kind] = stock[:count], stock[count:]
        return taken

    def relate(self, cause, effect):
        """「AによるB」 of a node and a marked effect."""
        stock = plans.RELATION_EXPOSURE if cause.what == "exposure" else plans.RELATION
        thing = self.d(cause)
        plan = self.rng.choice(stock)
        if f"{START}m" in thing and plan.startswith("{A}後"):
            thing += self.rng.choice(("投与", "使用", "開始"))
        return plan.format(A=thing, B=effect)

    def explanation(self):
        """A sentence that gives a finding its cause."""
        told = [node for node in self.case.nodes if node.number in self.told and node.parent is not None
            and node.parent.what in DISEASES and node.what in ("symptom", "sign", "lab_state", "site", "pathology",
            "disease", "syndrome", "test")]
        if not told:
            return ""
        node = self.rng.choice(told)
        finding = mark("k", self.test_name(node.core), node.number) + self.rng.choice(("", "の")) + mark("c",
            {"上昇": "上昇", "低下": "低下"}.get(node.label.rsplit("/", 1)[1], "異常"),
            node.number) if node.what == "test" else self.d(node)
        sentence = self.rng.choice(plans.EXPLAINS).format(A=self.d(node.parent), F=finding)
        return re.sub("した$", "しております", re.sub("られた$", "られます",
            re.sub("考えた$", "考えます", sentence))) if self.style.polite else sentence

    def title(self):
        rng, case = self.rng, self.case
        p = self.d(case.primary)
        parent = case.primary.parent
        children = [child for child in case.primary.children if child.what in DISEASES]
        felt = [node for node in case.nodes if node.what in ("symptom", "sign", "site")]
        draw = rng.random()
        if parent is not None and draw < 0.4:
            plan = self.relate(parent, p)
        elif children and draw < 0.65:
            child = self.d(rng.choice(children))
            plan = rng.choice((f"{child}を合併した{p}", f"{p}に{child}を合併した", f"{child}を契機に診断された{p}", f"{child}を呈した{p}",
                f"{p}に{child}を続発した", f"{child}で発症した{p}"))
        elif felt and draw < 0.8:
            finding = self.d(rng.choice(felt))
            plan = rng.choice((f"{finding}を契機に診断された{p}", f"{finding}で発症した{p}", f"{finding}を主訴に来院した{p}",
                f"{finding}を伴った{p}", f"{finding}を呈した{p}"))
        elif case.thought and draw < 0.87:
            plan = rng.choice((f"{self.other('dx', case.thought[0])}との鑑別を要した{p}",
                f"当初{self.other('dx', case.thought[0])}を疑われた{p}",
                f"{self.other('dx', case.thought[0])}として加療されていた{p}"))
        else:
            plan = rng.choice((p, f"診断に苦慮した{p}", f"急速な経過をたどった{p}", f"{self.drug(self.remedy()[0])}が奏効した{p}",
                f"高齢発症の{p}", f"興味ある経過を示した{p}", f"剖検にて確認した{p}"))
        tail = rng.choice(plans.TITLE_END)
        if plan.endswith("た"):
            tail = "1例" if tail == "例" else tail.removeprefix("の")
        return plan + tail

    def fill(self, plan):
        """A plan with its slots filled: P primary, A its cause, F a finding of this patient, N an absent one, X thought of."""
        rng, case = self.rng, self.case

        def slot(match):
            name = match.group(1)
            if name == "P":
                return self.d(case.primary)
            if name == "A":
                return self.d(case.primary.parent)
            if name == "F":
                return self.d(rng.choice([node for node in case.nodes if node.what in ("symptom", "sign", "lab_state",
                    "site", "exam", "felt", "seen")]))
            if name == "N":
                return self.other("d-", (case.absent["seen"] or case.absent["felt"])[0])
            if name == "X":
                return mark("dx", self.modified(rng.choice(case.thought)))
            return self.number_or_exam(name)

        return re.sub(r"\{(\w+)\}", slot, plan)

    def number_or_exam(self, name):
        rng = self.rng
        if name == "e":
            exams = [node.exam for node in self.case.nodes if node.exam]
            return self.exam(rng.choice(exams) if exams and rng.random() < 0.7
                else rng.choice(("生検", "造影CT", "心エコー", "頭部MRI", "血液培養", "上部消化管内視鏡")))
        if name == "r":
            return mark("r", rng.choice(("ステロイドパルス療法", "血漿交換", "外科的切除", "早期の手術", "放射線療法", "免疫抑制療法", "化学療法", "透析療法",
                "抗凝固療法", "補助循環")))
        return {"rare": rng.choice(plans.RARE), "pct": str(rng.choice((1, 2, 5, 10, 15, 20, 30, 40, 60, 80))),
            "n": str(rng.randint(2, 60))}[name]

    def general_statement(self):
        """What is said of other patients."""
        rng, case = self.rng, self.case
        draw = rng.random()
        if draw < 0.35:
            full, joining = rng.choice(plans.GENERAL_DOES)
            plan = full + rng.choice(plans.GENERAL_OFTEN) if rng.random() < 0.75 else f"{joining}、{rng.choice(plans.GENERAL_THEN)}"
        elif draw < 0.7:
            plan = rng.choice(plans.GENERAL_WHEN) + rng.choice(plans.GENERAL_THEN)
        else:
            plan = rng.choice(plans.GENERAL_OTHER)
        diseases = list(dict.fromkeys(case.general))
        rng.shuffle(diseases)
        if rng.random() < 0.6:
            diseases.insert(0, case.primary_label)
        findings = list(case.general_findings)
        rng.shuffle(findings)
        findings += rng.sample(plans.ABSENT[case.domain], 3) + rng.sample(self.world.known, 2)
        used = []

        def take(stock):
            label = next((label for label in stock if all(alike(label, other) < 0.8 for other in used)), stock[0])
            used.append(label)
            return label

        def slot(match):
            name = match.group(1)
            if name[0] not in "DF":
                return self.number_or_exam(name)
            stock = diseases if name[0] == "D" else findings if rng.random() < 0.92 or len(name) > 1 else diseases
            label = take(stock)
            if label == case.primary_label and rng.random() < 0.3:
                return mark("dg", "本症") if rng.random() < 0.3 else rng.choice(("本症", "本疾患",
                    "本症候群" if label.endswith("症候群") else "本症"))
            items = [self.other("dg", label)]
            while rng.random() < 0.18 and len(items) < 3:
                items.append(self.other("dg", take(stock)))
            tail = rng.choice(("", "", "", "", "症例", "例",
                "患者")) if name[0] == "D" and match.end() < len(plan) and plan[match.end()] in "はでに" and not plan[match.end() :].startswith(("に先行",
                "に類似")) else ""
            return self.join(items) + tail

        return re.sub(r"\{(\w+)\}", slot, plan)

    def possible(self, plan):
        case = self.case
        if "{A}" in plan and (case.primary.parent is None or case.primary.parent.what not in DISEASES):
            return False
        if "{N}" in plan and not (case.absent["seen"] or case.absent["felt"]):
            return False
        if "{F}" in plan and not any(node.what in ("symptom", "sign", "lab_state", "site", "exam") for node in case.nodes):
            return False
        return "{X}" not in plan or bool(case.thought)

    def from_plans(self, stock):
        return self.fill(self.rng.choice([plan for plan in stock if self.possible(plan)]))

    def intro(self):
        rng = self.rng
        text = "".join(self.general_statement() for _ in range(rng.choice((1, 1, 2))))
        return text + (self.from_plans(plans.REPORT) if rng.random() < 0.6 else "")

    def discussion(self):
        rng = self.rng
        parts = [self.general_statement() for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        if rng.random() < 0.5:
            parts.insert(rng.randrange(len(parts) + 1), self.from_plans(plans.DISCUSSION_CASE))
        if rng.random() < 0.35:
            parts.append(rng.choice(plans.CLOSING))
        return "".join(parts)

    def who(self):
        rng, case = self.rng, self.case
        sex = {"M": ("男性", "男性", "男"), "F": ("女性", "女性", "女")}[case.sex]
        if self.style.note:
            return rng.choice((f"{case.age}{case.sex}", f"{case.age}歳{sex[0]}", f"{case.age}歳{sex[2]}",
                f"{case.age}yo {case.sex}", f"{case.age}代 {sex[2]}" if case.age % 10 == 0
                else f"{case.age}{case.sex}"))
        if case.age < 16:
            sex = {"M": ("男児", "男児", "男"), "F": ("女児", "女児", "女")}[case.sex]
        joint = rng.choice(("の", "、", "、", "，", ""))
        job = f"、{rng.choice(plans.JOBS)}" if rng.random() < 0.12 and 20 < case.age < 66 else ""
        return f"{case.age}歳{joint}{rng.choice(sex[:2]) if rng.random() < 0.85 else sex[2]}{job}"

    def complaint(self):
        felt = self.pick(("symptom", "felt"))
        seen = self.pick(("sign", "site", "seen"))
        return felt[: self.rng.choice((1, 1, 2, 2, 3))] or seen[:1]

    def history(self):
        """Past diseases: those of the tree above the primary disease, and those without a role. (disease, holds on, told)"""
        rng, case = self.rng, self.case
        parts, above, node = [], [], case.primary.parent
        while node is not None:
            above.append(node)
            node = node.parent
        for node in reversed(above):
            if node.what == "exposure":
                if rng.random() < 0.5:
                    thing = self.exposure(node)
                    self.told.add(node.number)
                    when = f"（{self.ago('year')}）" if rng.random() < 0.5 else ""
                    use = rng.choice(("投与", "使用", "内服中" if self.oral(node) else "投与歴", "")) if f"{START}m" in thing else ""
                    parts.append((thing + use + when, False, True))
            elif rng.random() < 0.75:
                over = rng.random() < 0.4
                parts.append((self.d(node, "dp" if over and rng.random() < 0.2 else "d"), not over, False))
        for node in case.roots[1:]:
            parts.append((self.d(node), rng.random() < 0.8, False))
        for label in case.past:
            ongoing = rng.random() < 0.35
            parts.append((self.other("d" if ongoing and rng.random() < 0.75 else "dp", label), ongoing, False))
        rng.shuffle(parts)
        return parts

    def about_past(self, disease, ongoing, told):
        """An item of the past history."""
        rng = self.rng
        draw = rng.random()
        if told or draw < 0.4:
            return disease
        if draw < 0.6:
            return rng.choice((f"{disease}（{self.ago('year')}）", f"{disease}（{self.ago('year')}）",
                f"{disease}：{self.ago('year')}"))
        if draw < 0.72:
            return f"{self.ago('year')}に{disease}" if not ongoing else f"{self.ago('year')}{rng.choice(('より', 'から'))}{disease}"
        regular = self.drug(rng.choice(plans.REGULAR))
        if ongoing:
            return rng.choice((f"{disease}（{regular}内服中）", f"{disease}で通院中", f"{disease}にて{regular}を内服中",
                f"{disease}（{rng.choice(plans.FACILITY)}通院中）", f"{disease}（無治療）", f"{disease}、{regular}内服"))
        return rng.choice((f"{disease}（{self.ago('year')}、{mark('r', '手術')}）", f"{disease}の既往", f"{disease}（治癒）",
            f"{self.ago('year')}に{disease}で入院", f"{disease}で{mark('r', '手術')}", f"{disease}の既往あり", f"{disease}（寛解）"))

    def family(self):
        rng, world = self.rng, self.world
        draw = rng.random()
        if draw < 0.35:
            return rng.choice(plans.NOTHING)
        if draw < 0.5:
            return self.other("d-", rng.choice(self.case.general[:1] + ["同症", "突然死", "悪性腫瘍", "膠原病",
                "類縁疾患"])) + rng.choice(("の家族歴なし", "なし", "の家族歴はない"))
        parts = []
        for _ in range(rng.choice((1, 1, 2))):
            label = rng.choice(plans.PAST) if rng.random() < 0.6 else rng.choice(world.known) if rng.random() < 0.6 else self.case.primary_label
            who = rng.choice(plans.FAMILY)
            disease = self.other("df", label)
            parts.append(rng.choice((f"{who}に{disease}", f"{who}：{disease}", f"{who} {disease}", f"{who}が{disease}",
                f"{disease}（{who}）", f"{who}が{disease}で死亡", f"{who}に{disease}あり", f"{who}は{disease}",
                f"{who}も{disease}", f"{who}が{rng.randint(3, 8) * 10}歳代で{disease}",
                f"{who}と{rng.choice(plans.FAMILY)}に{disease}", f"{who}が{disease}で通院中")))
        return "、".join(parts)

    def social(self):
        rng = self.rng
        chosen = rng.sample(plans.HABITS, rng.choice((1, 2, 2)))
        seen, parts = set(), []
        for habit, amount in chosen:
            if habit not in seen:
                seen.add(habit)
                parts.append(mark("h", habit) + ("" if amount[0] in "な歴" else rng.choice((" ", "は", "：", ""))) + amount)
        return "、".join(parts)

    def present(self, with_history):
        """How it began and how the patient came."""
        rng, case, style = self.rng, self.case, self.style
        felt = self.pick(("symptom", "felt"), used=True)
        rng.shuffle(felt)
        outside = self.pick(("sign", "site", "seen"))
        if outside and rng.random() < 0.4:
            felt.append(rng.choice(outside))
        sentences = []
        if with_history:
            sentences += self.told_history()
        exposures = [node for node in case.nodes if node.what == "exposure" and node.number not in self.told and not node.late]
        for node in exposures:
            clause = self.exposure_clause(node)
            sentences.append(clause.replace("ていた", "ておりました") if style.polite else clause)
        groups, rest = [], list(felt)
        while rest:
            size = rng.choice((1, 1, 2, 2, 3))
            groups.append(rest[:size])
            rest = rest[size:]
        units = sorted((rng.choices(range(4), (38, 30, 24, 8))[0] for _ in groups), reverse=True)
        contact_at = rng.randint(0, max(0, len(groups) - 1)) if rng.random() < 0.65 else -1
        arrive = rng.choice(plans.ARRIVE_BARE if style.note else plans.ARRIVE)
        if style.polite:
            arrive = re.sub("った$", "りました", arrive.replace("行った", "行いました")) if not arrive.endswith(("した",
                "れた")) else arrive[:-1] + "ました"
        opened = False
        for at, group in enumerate(groups):
            unit = ("day", "week", "month", "year")[units[at]]
            anchor = self.ago(unit if rng.random() < 0.85 else None) + rng.choice(style.since + ("、",
                "に")) if rng.random() < 0.8 else rng.choice(("その後", "次第に", "徐々に", "さらに", ""))
            onset = rng.choice(plans.ONSET) if anchor not in ("次第に", "徐々に", "さらに") else ""
            marks = [self.d(node) for node in group]
            if not onset or onset.endswith("の") or onset.endswith("る"):
                lead = f"{anchor}{onset}"
            else:
                lead = f"{onset}{'、' if rng.random() < 0.3 else ''}" if not anchor else f"{anchor}{onset}"
            predicates = plans.WORSE if opened and rng.random() < 0.4 else plans.SYMPTOM
            opened = True
            last = at == len(groups) - 1
            if last and rng.random() < 0.4 and not style.note:
                plan = rng.choice((f"{lead}{self.join(marks)}を主訴に{arrive}", f"{lead}{self.join(marks)}のため{arrive}",
                    f"{lead}{self.say(marks, predicates, 'join')}、{arrive}",
                    f"{lead}{self.join(marks)}が出現したため{arrive}", f"{lead}{self.join(marks)}で{arrive}"))
                sentences.append(plan)
                arrive = ""
            elif not last and rng.random() < 0.35 and not style.note:
                sentences.append(f"{lead}{self.say(marks, predicates, 'join')}、")
            else:
                sentences.append(f"{lead}{self.say(marks, predicates)}")
            if at == contact_at:
                sentences.append(self.contact())
        if contact_at < 0 and rng.random() < 0.3:
            sentences.append(self.contact())
        if rng.random() < 0.45:
            absent = self.some_absent("felt", 3)
            if absent:
                sentences.insert(rng.randint(max(0, len(sentences) - 1), len(sentences)), self.negate(absent, "felt"))
        if arrive:
            sentences.append(arrive)
        return self.run_on(sentences)

    def run_on(self, sentences):
        """Sentences in a row; one that ends in 「、」 goes on into the next."""
        sentences = [sentence for sentence in sentences if sentence]
        if sentences and sentences[-1].endswith("、"):
            sentences[-1] = self.closed(sentences[-1][:-1])
        if self.style.polite:
            sentences = [self.courteous(sentence) for sentence in sentences]
        text = ""
        stop = self.rng.choice(("。", "。", " ", "。\n")) if self.style.note else "。"
        for sentence in sentences:
            if sentence:
                text += sentence if sentence.endswith("、") else sentence + stop
        return text.strip()

    @staticmethod
    def courteous(sentence):
        """A plain sentence in the manner of a letter: 「投与されていた」 -> 「投与されておりました」."""
        if sentence.endswith(("ました", "でした", "ですが", "ません")) or not sentence.endswith("た"):
            return sentence
        for tail, polite in (("ていた", "ておりました"), ("であった", "でした"), ("かった", "かったです"), ("あった", "ありました"), ("至った", "至りました"),
            ("なった", "なりました"), ("行った", "行いました")):
            if sentence.endswith(tail):
                return sentence.removesuffix(tail) + polite
        return sentence[:-1] + "ました" if not sentence.endswith("った") else sentence

    def closed(self, sentence):
        """A joining form made an end: 「疑われ」 -> 「疑われた」."""
        if self.style.polite:
            return sentence + "ました" if sentence[-1] in "しれめりいきじせ" else sentence
        if sentence.endswith("たが"):
            return sentence[:-1]
        if sentence.endswith(("し", "れ", "め", "え", "じ")):
            return sentence + "た"
        return sentence[:-1] + "った" if sentence.endswith("り") else sentence[:-1] + "った" if sentence.endswith("い") else sentence

    def told_history(self):
        """The past history in sentences."""
        rng, style = self.rng, self.style
        parts = self.history()
        if not parts:
            return [] if style.polite else [rng.choice(("生来健康であった", "特記すべき既往はなかった", "", ""))]
        sentences = []
        going = [disease for disease, ongoing, told in parts if ongoing and not told]
        over = [disease for disease, ongoing, told in parts if not ongoing and not told]
        of_tree, of_none = ([disease for disease in over if ("#" in disease) == own] for own in (True, False))
        for group in self.grouped(going):
            when = f"{self.ago('year')}{rng.choice(('より', 'から'))}" if rng.random() < 0.4 else ""
            ends = ("で貴院に通院されています", "にて加療中の方です", "で内服加療中です") if style.polite else ("で近医通院中", "あり") if style.note else (
                "で近医通院中であった", "にて加療中であった", "を有する", "で通院中", "に対し内服加療中であった", "を指摘されていた", "と診断され経過観察されていた", "で他院にて治療されていた",
                f"に対し{self.drug(rng.choice(plans.REGULAR))}を内服していた",
                    f"に対し{self.ago('year')}より{self.drug(rng.choice(self.world.medicines))}を投与されていた",
                    f"で{self.drug(rng.choice(self.world.medicines))}による治療中であった", "があり、", "と診断されていた", "を放置していた",
                    "で治療中、")
            sentences.append(when + self.join(group) + rng.choice(ends))
        for group in self.grouped(of_tree) + self.grouped(of_none):
            when = f"{self.ago('year')}に" if rng.random() < 0.5 else ""
            ends = ("の既往がございます",) if style.polite else ("の既往", "既往") if style.note else (
                "の既往があった", "の既往がある", "と診断された", "で入院した", f"に対し{mark('r', '手術')}を受けた", "を指摘された", "で治療を受けた", "の既往があり、",
                    "に罹患した", "で加療され寛解した")
            sentences.append(when + self.join(group) + rng.choice(ends))
        rng.shuffle(sentences)
        sentences += [thing + ("があった" if not style.polite and not style.note and rng.random() < 0.3 else "")
            for thing, _, told in parts if told]
        return sentences

    def candidate(self, settled=False):
        """A disease that somebody thought of: one that proves wrong, or the one that it is. (mark, holds)

        `settled`: the sentence says that it was diagnosed, so what holds is no mere suspicion."""
        rng, case = self.rng, self.case
        if settled and rng.random() < 0.22:
            options = [node for node in case.nodes if node.what in DISEASES or node.what in ("lab_state", "sign")]
            return self.d(rng.choice(options)), True
        if case.thought and rng.random() < 0.68:
            label = rng.choice(case.thought)
            first = mark("dx", self.modified(label))
            others = [other for other in case.thought if other != label]
            if others and rng.random() < 0.22:
                second = mark("dx", self.modified(rng.choice(others)))
                return first + rng.choice(("、", "、", "あるいは", "や", "および")) + second, False
            return first, False
        return self.d(case.primary, "d" if settled else "d?"), True

    def modified(self, label):
        words = self.surface(label)
        return self.rng.choice(("急性", "右", "左", "再発性", "軽症", "原発性", "ウイルス性",
            "細菌性")) + words if self.rng.random() < 0.06 else words

    def contact(self):
        """What another doctor thought and did."""
        rng, style, case = self.rng, self.style, self.case
        place = rng.choice(plans.FACILITY) if not style.polite else rng.choice(("貴院", "貴科", "近医", "前医"))
        disease, _ = self.candidate()
        drug = mark("m", rng.choice(plans.THERAPY_WEAK)) if rng.random() < 0.75 else self.drug(rng.choice(self.world.medicines))
        worse = mark("c", rng.choice(plans.BAD[:1] + ["悪化", "増悪"]))
        futile = rng.choice(("改善せず", "軽快せず", "効果なく", "反応に乏しく", "無効で", f"症状は{worse}し", "一時的な改善にとどまり",
            f"いったん{mark('c', rng.choice(plans.GOOD[:4]))}したが再燃し", "奏効せず"))
        images = [node for node in self.pick(("exam",)) if rng.random() < 0.6]
        signs = self.pick(("sign", "lab_state", "seen", "site"))
        if style.note:
            settled, _ = self.candidate(True)
            return rng.choice((f"{place}で{settled}として{drug}→{rng.choice(('無効', '改善なし', '不変'))}",
                f"{place}で{disease}疑い、{drug}処方", f"{place}: {disease}?", f"{settled}の診断で{drug}内服",
                f"{place}で{settled}と言われ{drug}のみ", f"{settled}で{drug}"))
        draw = rng.random()
        if draw < 0.16:
            settled, _ = self.candidate(True)
            sentence = f"{place}{rng.choice(('で', 'にて', 'では', 'を受診し', 'で当初'))}{settled}{rng.choice(plans.TREATED_AS)}"
            return sentence + "、" if sentence.endswith(("が", "され", "も", "れ", "なされ")) else sentence
        if draw < 0.55 or not (images or signs):
            settled, _ = self.candidate(True)
            several = f"{disease}{rng.choice(('あるいは', 'または', '、', 'ないし', 'や'))}{mark('dx', self.modified(rng.choice(case.thought)))}" if case.thought and rng.random() < 0.2 else disease
            return rng.choice((
                f"{place}で{settled}と診断され{drug}を処方されたが{futile}、", f"{place}を受診し{settled}として{drug}を投与されたが{futile}、",
                    f"{place}にて{several}を疑われ{drug}が開始されたが{futile}、",
                f"{place}で{several}が疑われ、", f"{settled}の診断で{place}にて{drug}を投与されていた", f"{place}で{disease}の疑いを指摘され、",
                    f"{settled}と考えられ{drug}で治療されたが{futile}、",
                f"{place}では{settled}とされていた", f"{place}を受診し{drug}を処方されたが{futile}、",
                    f"当初{several}が疑われ{drug}を内服したが{futile}、", f"{place}で{settled}を指摘され、",
                f"{place}にて{settled}と言われ{drug}のみで経過観察されていた", f"{place}では{several}を疑われたが確定には至らず、",
                    f"{settled}の診断のもと{drug}を内服していた", f"{place}で{settled}と説明されていた",
                f"{settled}として{rng.choice(('無治療で', '外来で', '保存的に'))}経過観察されていた", f"{settled}に対し{drug}を投与されたが{futile}、",
                    f"{place}を受診、{several}と考えられた", f"{settled}の加療目的に入院し、",
            ))
        if images and draw < 0.8:
            node = rng.choice(images)
            finding = self.d(node)
            return rng.choice((f"{place}の{self.exam(node.exam)}で{finding}を指摘され、",
                f"{place}で施行した{self.exam(node.exam)}にて{finding}を認め、{disease}が疑われた",
                f"健診の{self.exam(node.exam)}で{finding}を指摘されていた",
                f"{place}での{self.exam(node.exam)}上{finding}があり{disease}を疑われ、",
                f"{self.exam(node.exam)}で{finding}を認めたため{disease}として紹介され、"))
        finding = self.d(rng.choice(signs or images))
        return rng.choice((f"{place}で{finding}を指摘され、", f"{place}を受診したところ{finding}を認め{disease}が疑われた",
            f"{place}で{finding}を認め、{disease}と診断された", f"{finding}を指摘されたが放置していた"))

    def vitals(self):
        rng, case = self.rng, self.case
        found = {node.core: node for node in case.nodes if node.what == "test"
            and node.core in plans.VITALS + ["収縮期血圧", "拡張期血圧", "意識レベル"] and not node.late}
        parts = []
        for test in plans.VITALS:
            node = found.get(test)
            if node:
                parts.append(self.pair(test, node.label.rsplit("/", 1)[1], node.number))
            elif rng.random() < 0.55 and not (test == "血圧" and "収縮期血圧" in found):
                parts.append(self.pair(test, "正常"))
        for test, node in found.items():
            if test not in plans.VITALS:
                parts.append(self.pair(test, node.label.rsplit("/", 1)[1], node.number))
        return self.style.list_gap.join(parts)

    def signs(self):
        rng, style = self.rng, self.style
        sentences = []
        vitals = self.vitals()
        state = rng.choice(plans.GENERAL_STATE) if not style.note else ""
        if vitals:
            sentences.append(vitals)
        nodes = self.pick(("sign", "site", "seen"))
        rng.shuffle(nodes)
        heard = [node for node in nodes if re.search("雑音|ラ音|呼吸音|ギャロップ|捻髪|喘鳴|心音|摩擦音", node.core)]
        others = [node for node in nodes if node not in heard]
        absent = self.some_absent("seen", 3) if rng.random() < 0.7 else []
        for group in ([heard[i : i + 2] for i in range(0, len(heard), 2)] + self.grouped(others)):
            predicates = plans.HEARD if group[0] in heard else plans.FELT if re.search("腫大$|脾腫$|リンパ節|腫瘤$",
                group[0].core) and rng.random() < 0.5 else plans.SIGN
            marks = [self.d(node) for node in group]
            if absent and rng.random() < 0.4:
                no, absent = absent[:1], absent[1:]
                draw = rng.random()
                if draw < 0.4:
                    sentences.append(f"{self.say(marks, predicates, 'join')}、{self.negate(no, 'seen')}"
                        if not style.note else f"{self.say(marks, predicates)}、{self.negate(no, 'seen')}")
                elif draw < 0.7 and not style.note:
                    sentences.append(f"{self.negate(no, 'seen', 'join')}、{self.say(marks, predicates)}")
                elif not style.note:
                    sentences.append(f"{self.join([self.other('d-', word) for word in no])}は{rng.choice(('なかったが', '認めないが', '認めなかったが', '明らかでなかったが', 'ないものの'))}{self.say(marks, predicates)}")
                else:
                    sentences.append(f"{self.join(marks)}(+)、{self.other('d-', no[0])}(-)")
            else:
                sentences.append(self.say(marks, predicates) if not style.note or rng.random() < 0.6
                    else self.join(marks) + "(+)")
        if absent:
            sentences.insert(rng.randint(1 if vitals else 0, len(sentences)), self.negate(absent, "seen"))
        return state + self.run_on(sentences)

    def grouped(self, nodes):
        groups, rest = [], list(nodes)
        while rest:
            size = self.rng.choice((1, 1, 2, 2, 3))
            groups.append(rest[:size])
            rest = rest[size:]
        return groups

    def labs(self):
        rng, case, style = self.rng, self.case, self.style
        abnormal = [node for node in self.pick(("test",)) if node.core not in plans.VITALS]
        order = {test: at for at, test in enumerate(plans.TEST_COMMON)}
        parts = [(order.get(node.core, 60 + rng.random()), self.pair(node.core, node.label.rsplit("/", 1)[1],
            node.number)) for node in abnormal]
        taken = {node.core for node in case.nodes if node.what == "test"}
        stock = [test for test in plans.TEST_COMMON if test not in taken and test in self.world.tests]
        for test in rng.sample(stock, min(len(stock), rng.randint(0, 2 + len(abnormal)))):
            parts.append((order[test], self.pair(test, self.unremarkable(test))))
        for test in self.case.absent["test"][: rng.choice((0, 0, 1, 2))]:
            taken.add(test)
            parts.append((80 + rng.random(), self.pair(test, self.unremarkable(test))))
        if rng.random() < 0.7:
            parts.sort()
        else:
            rng.shuffle(parts)
        pairs = [part for _, part in parts]
        sentences = []
        if pairs:
            cut = rng.randint(1, len(pairs)) if rng.random() < 0.35 else len(pairs)
            for group in (pairs[:cut], pairs[cut:]):
                if group:
                    tail = "" if style.note or rng.random() < 0.5 else rng.choice(("であった", "であった", "", "を示した",
                        "")) if not style.polite else "でした"
                    sentences.append(style.list_gap.join(group) + tail)
        states = self.pick(("lab_state",))
        for group in self.grouped(states):
            marks = [self.d(node) for node in group]
            sentence = self.say(marks, plans.SHOWN_SURE)
            lead = rng.choice(("血液検査で", "採血で", "血液検査上", "検査では", "", "", "生化学的に", "血算で")) if not style.note else ""
            sentences.insert(rng.randint(0, len(sentences)), lead + sentence)
        if rng.random() < 0.12:
            exam, words = rng.choice((("血液培養", "有意菌"), ("喀痰培養", "抗酸菌"), ("尿培養", "細菌"), ("便培養", "病原菌"), ("髄液培養", "真菌"),
                ("血液培養", "細菌"), ("喀痰細胞診", "悪性細胞"), ("胸水細胞診", "異型細胞")))
            sentences.append(f"{self.exam(exam)}{rng.choice(('で', 'では', 'から', 'に', 'にて'))}{mark('d-', words)}{rng.choice(('は検出されなかった', 'を認めず', 'は証明されなかった', 'を検出せず', 'の発育を認めなかった', 'は陰性', 'なし'))}")
        return self.run_on(sentences)

    def images(self, late=False):
        """Examinations and what they showed, with what they did not show."""
        rng, style, case = self.rng, self.style, self.case
        nodes = self.pick(("exam",), late=late)
        groups = {}
        for node in nodes:
            key = node.exam if style.together or rng.random() < 0.7 else (node.exam, node.number)
            groups.setdefault(key, []).append(node)
        order = list(groups.values())
        rng.shuffle(order)
        sentences = []
        for group in order:
            sentences.append(self.exam_sentence(group[0].exam, group))
        if not late:
            for exam, words in case.absent["image"][: rng.choice((0, 0, 0, 1, 1))]:
                marks = self.other("d-", words)
                name = self.exam(exam)
                lead = f"{name}{rng.choice(('で', 'では', 'にて', '上', 'に'))}"
                sentences.insert(rng.randint(0, len(sentences)), lead + self.say([marks],
                    [p for p in plans.NEGATED if p[0] != "を伴わず"]))
            told = {node.exam for node in case.nodes if node.exam}
            free = [exam for exam in ("胸部X線", "頭部CT", "心電図", "上部消化管内視鏡", "腹部エコー", "心エコー", "脳波", "胸部CT") if exam not in told]
            if free and rng.random() < 0.15:
                well = rng.choice(("は正常であった", "に異常を認めなかった", "では異常なし", "は異常なし", "に異常なし", "に特記すべき所見なし"))
                sentences.append(self.exam(rng.choice(free)) + well)
        return sentences

    def exam_sentence(self, exam, nodes):
        rng, style = self.rng, self.style
        name = self.exam(exam)
        marks = [self.d(node) for node in nodes]
        predicates = plans.GROWN if "培養" in exam else plans.SHOWN_SURE
        grammar = next((key for key, parts in plans.GRAMMAR.items() if exam in parts["exams"]), None)
        region = {"chest": "chest", "abdomen": "abdomen", "head": "head", "spine": "spine", "heart": "heart",
            "ecg": "ecg", "upper": "scope", "lower": "scope", "renal": "tissue", "tissue": "tissue",
            "skin": "skin"}.get(grammar)
        cores = [node.core for node in self.case.nodes]
        stock = [word for word in plans.ABSENT_IMAGE.get(region, []) if all(alike(word, core) < 0.5 for core in cores)]
        if style.note:
            no = f"、{self.other('d-', rng.choice(stock))}{rng.choice(('なし', '(-)', 'は認めず'))}" if stock and rng.random() < 0.3 else ""
            return name + rng.choice((": ", "：", " ", "で", "→")) + self.join(marks) + rng.choice(("", "", "あり",
                "を認める", "(+)")) + no
        joint = rng.choice(("で", "では", "にて", "上、", "で", "では", "において",
            "にて、")) if "生検" not in exam or rng.random() < 0.6 else rng.choice(("では", "で", "の結果、", "により", "にて"))
        draw = rng.random()
        if stock and draw < 0.18 and "培養" not in exam:
            no = rng.sample(stock, min(len(stock), rng.choice((1, 1, 2))))
            absent = [self.other("d-", word) for word in no]
            if rng.random() < 0.5:
                return name + joint + self.join(absent) + rng.choice(("はなく", "を認めず", "はみられず", "はないものの", "を認めないが",
                    "は明らかでなかったが")) + "、" + self.say(marks, predicates)
            return name + joint + self.say(marks, predicates, "join") + "、" + self.say(absent, plans.NEGATED[:7])
        if len(marks) >= 2 and draw < 0.6:
            cut = rng.randint(1, len(marks) - 1)
            return name + joint + self.say(marks[:cut], predicates, "join") + "、" + rng.choice(("", "", "さらに", "また",
                "加えて")) + self.say(marks[cut:], predicates)
        if 0.6 <= draw < 0.68 and not style.polite and len(marks) <= 2:
            return f"{name}は{self.join(marks)}{rng.choice(('を示した', 'を呈した', 'であった', 'の所見であった', 'を呈していた'))}"
        if 0.68 <= draw < 0.74 and not style.polite:
            return f"{name}を施行し{self.say(marks, predicates)}"
        if 0.74 <= draw < 0.78 and not style.polite:
            return f"{self.say(marks, predicates).rstrip('。')}（{name}）"
        return name + joint + self.say(marks, predicates)

    # -- the course ---------------------------------------------------------------------------------------------------
    def remedy(self):
        """Drugs and treatments that suit the primary disease."""
        rng, world = self.rng, self.world
        classes, drugs, treatments = remedies(self.case.primary_label)
        draw = rng.random()
        if draw < 0.45:
            drug = rng.choice(drugs)
        elif draw < 0.9:
            members = [member for name in classes for member in world.drug_class.get(name, ())]
            drug = rng.choice(members or drugs)
        else:
            drug = rng.choice(world.medicines)
        treatment = rng.choice(treatments) if treatments and rng.random() < 0.85 else rng.choice(("輸液", "酸素療法",
            "リハビリテーション", "輸血", "ステロイドパルス療法", "人工呼吸管理", "外科的切除", "抗菌薬治療", "食事療法",
            "安静")) if rng.random() < 0.7 else rng.choice(world.treatments)
        return drug, treatment

    def doubt(self):
        """A disease thought of first and ruled out, with its reason."""
        rng, case, style = self.rng, self.case, self.style
        labels = rng.sample(case.thought, min(len(case.thought), rng.choice((1, 1, 2))))
        marks = [mark("dx", self.modified(label)) for label in labels]
        things = self.join(marks)
        tests = case.absent["test"]
        reason = []
        if tests and rng.random() < 0.5:
            test = tests.pop(0)
            result = self.unremarkable(test)
            reason.append(f"{self.pair(test, result)}で" if rng.random() < 0.5
                else f"{mark('k', self.test_name(test))}は{mark('v', result)}で")
        elif case.absent["image"] and rng.random() < 0.5:
            exam, words = case.absent["image"].pop(0)
            reason.append(f"{self.exam(exam)}で{self.other('d-', words)}を認めず" if rng.random() < 0.7
                else f"{self.exam(exam)}に{self.other('d-', words)}なく")
        elif case.absent["seen"] or case.absent["felt"]:
            word = (case.absent["seen"] or case.absent["felt"]).pop(0)
            reason.append(f"{self.other('d-', word)}{rng.choice(('を欠き', 'はなく', 'を認めず', 'を伴わず', 'がないことから'))}")
        why = "、".join(reason)
        if style.note:
            return rng.choice((f"{things}は{why + '、' if why else ''}否定的", f"①{things}→否定", f"{things}→否定",
                f"{things}？→{why}否定", f"{things}は当初考えたが否定", f"{things}否定", f"{things}らしくない", f"r/o {things}→否定",
                f"{things}: {why}否定的" if why else f"{things}は否定的", f"{things}疑いも{why + '、' if why else ''}否定"))
        out = rng.choice(plans.EXCLUDED)
        if style.polite:
            out = rng.choice(("は否定的でした", "は否定的と考えます", "は考えにくいと判断いたしました", "は否定されました"))
        first = rng.choice(("当初", "はじめ", "まず", "入院時は", "", "", "臨床的に", "初診時"))
        third = rng.choice(plans.SUSPECT[:8])
        if not style.polite and rng.random() < 0.25:
            exam = self.exam(rng.choice([node.exam for node in case.nodes if node.exam] or ["生検", "造影CT", "髄液検査"]))
            begin = rng.choice((f"{things}を考え{exam}を施行したが", f"{things}を否定するため{exam}を行い",
                f"{things}との鑑別のため{exam}を追加したが", f"{first}{things}と考え経過をみたが", f"{things}を念頭に{exam}を行ったが",
                f"{things}の除外目的に{exam}を施行し"))
            ends = ("合致する所見はなかった", "否定的であった", "典型的ではなかった", "確診に至らなかった", "別の病態が考えられた", "経過が異なった")
            return f"{begin}、{why + '、' if why else ''}{rng.choice(ends)}"
        return rng.choice((
            f"{first}{things}{rng.choice(('を疑ったが', 'が疑われたが', 'を考えたが', 'も考えたが', 'を念頭に精査したが', 'を鑑別に挙げたが', 'の可能性も考えられたが'))}{'、' if why else ''}{why}{'、' if why else ''}{rng.choice(('否定的であった', '否定した', '除外した', '考えにくかった', '合致しなかった')) if not style.polite else '否定的でした'}",
            f"{why}{'、' if why else ''}{things}{out}",
                f"{things}{third}{self.exam('生検') if rng.random() < 0.3 else '精査'}を行ったが、{why + '、' if why else ''}{rng.choice(('確定には至らなかった', '否定的であった', '証明できなかった', '支持する所見はなかった'))}"
                if not style.polite else f"{things}{out}",
            f"鑑別として{things}が挙がったが{'、' if why else ''}{why}{'、' if why else ''}{rng.choice(('否定的と考えた', '除外された', '該当しなかった'))}"
                if not style.polite else f"{things}{out}",
            f"{first}{things}として{self.drug(rng.choice(self.world.medicines))}を開始したが{rng.choice(('改善せず', '無効で', '反応なく', '奏効せず'))}、再検討した"
                if not style.polite else f"{things}{out}",
        ))

    def diagnosis(self):
        """The primary disease and what it has to do with its causes and complications."""
        rng, case, style = self.rng, self.case, self.style
        p = case.primary
        children = [child for child in p.children if child.what in DISEASES and not child.late]
        parent = p.parent if p.parent is not None else None
        named = self.d(p)
        if parent is not None and rng.random() < 0.65:
            named = self.relate(parent, named)
        tail = ""
        untold = [child for child in children if child.number not in self.told]
        if untold and rng.random() < 0.6:
            things = self.join([self.d(child) for child in untold])
            named = rng.choice((f"{things}を伴う{named}", f"{named}およびそれに伴う{things}", f"{named}に合併した{things}",
                f"{named}、{things}", f"{named}に続発した{things}", f"{things}を合併した{named}", f"{named}による{things}"))
        if case.thought and rng.random() < 0.22 and not style.note and not style.polite:
            wrong = self.join([mark("dx", self.modified(label))
                for label in rng.sample(case.thought, min(len(case.thought), rng.choice((1, 1, 2, 2, 3))))])
            return rng.choice(plans.RATHER).format(X=wrong, P=named)
        base = rng.choice(plans.BASED)
        base = base and base + rng.choice(("、", ""))
        if style.note:
            return rng.choice((f"{named}", f"→{named}", f"Dx: {named}", f"{named}と診断", f"#1 {named}", f"{named}と考える"))
        if style.polite:
            return f"{base}{named}{rng.choice(('と診断いたしました', 'と診断しております', 'と考えます', 'と判断いたしました', 'と考えております'))}"
        key = self.pick(("test",))
        if key and rng.random() < 0.4:
            node = rng.choice(key)
            evidence = self.pair(node.core, node.label.rsplit("/", 1)[1], node.number)
            base = rng.choice((f"{evidence}であり、", f"{evidence}と判明し、", f"後日{evidence}と判明し", f"{evidence}より"))
        exams = self.pick(("exam",))
        if exams and rng.random() < 0.3:
            node = rng.choice(exams)
            base = f"{self.exam(node.exam)}{rng.choice(('で', 'にて', 'を行い', 'の結果'))}{self.d(node)}{rng.choice(('を認め、', 'が証明され、', 'より', 'を確認し', 'を認めたため'))}"
        return f"{base}{named}{rng.choice(plans.DIAGNOSED)}{tail}"

    def suspicion(self):
        """The right disease, before it is proven."""
        rng, style = self.rng, self.style
        disease, holds = self.candidate()
        other = f"、{mark('dx', self.surface(rng.choice(self.case.thought)))}" if self.case.thought and holds and rng.random() < 0.35 else ""
        if style.note:
            return rng.choice((f"{disease}{other}疑い", f"s/o {disease}{other}", f"{disease}{other}？", f"{disease}{other}を鑑別"))
        findings = [node for node in self.case.nodes if node.number in self.told
            and node.what in ("symptom", "sign", "lab_state", "exam", "site")]
        lead = f"{self.d(rng.choice(findings))}{rng.choice(('より', 'から', 'を認めたことから', 'があり'))}" if findings and rng.random() < 0.5 else rng.choice(("経過から",
            "入院時、", "臨床像より", "", "病歴から"))
        exam = self.pick(("exam",))
        if exam and rng.random() < 0.6:
            node = rng.choice(exam)
            return f"{lead}{disease}{other}{rng.choice(('を疑い', 'を考え', 'が疑われ', 'を念頭に', 'の可能性を考え'))}{self.exam(node.exam)}を{rng.choice(('施行した', '行った', '施行したところ' + self.d(node) + 'を認めた', '追加し、' + self.d(node) + 'を確認した'))}" if not style.polite else f"{disease}{other}を疑い{self.exam(node.exam)}を施行しました"
        return f"{lead}{disease}{other}{rng.choice(('が疑われた', 'を疑った', 'を第一に考えた', 'の可能性が示唆された', 'を鑑別に挙げた', 'が考えられた'))}" if not style.polite else f"{disease}{other}を疑いました"

    def therapy(self):
        rng, style = self.rng, self.style
        drug, treatment = self.remedy()
        m = self.drug(drug) + ((rng.choice((" ", "")) + self.dose()) if rng.random() < 0.35 else "")
        if style.note:
            return rng.choice((f"{m}開始", f"{m}、{mark('r', self.surface(treatment, ('r', treatment)))}",
                f"{mark('r', self.surface(treatment, ('r', treatment)))}予定", f"{m}投与", f"{m} div"))
        second = self.drug(self.remedy()[0]) if rng.random() < 0.3 else None
        if rng.random() < 0.3:
            r = mark("r", self.surface(treatment, ("r", treatment)))
            sentence = rng.choice((f"{r}を施行し", f"{self.later()}に{r}を行い", f"{m}に加え{r}を行い", f"{r}を行うとともに{m}を投与し", f"緊急で{r}を施行し"))
        else:
            sentence = rng.choice((f"{m}を開始し", f"{m}{'、' + second if second else ''}を投与し", f"{m}による治療を開始し",
                f"{m}の投与を行い", f"{m}{'と' + second if second else ''}を併用し", f"{m}を導入し", f"{self.later()}より{m}を開始し",
                f"{m}内服とし"))
        targets = [node for node in self.case.nodes if node.number in self.told
            and node.what in ("symptom", "sign", "lab_state", "disease", "pathology", "syndrome", "felt", "seen",
            "site")]
        tests = [node for node in self.case.nodes if node.what == "test" and node.number in self.told]
        draw = rng.random()
        good = rng.random() < 0.8
        self.good = good
        done = self.end("した", "しました")
        if targets and draw < 0.45:
            target = self.d(rng.choice(targets))
            if good or rng.random() < 0.5:
                change = mark("c", rng.choice(plans.GOOD if good else plans.BAD))
                joint = rng.choice((f"{sentence}、", f"{self.closed(sentence)}ところ", f"{sentence}、{self.later()}には"))
                return f"{joint}{target}{rng.choice(('は', 'は', 'も', 'は速やかに', 'は徐々に', 'はほぼ'))}{change}{done}"
            if style.polite:
                return f"{self.closed(sentence)}が{target}は残存しております"
            stays = rng.choice(("は改善しなかった", "は残存した", "が持続した", "は不変であった", "のコントロールは困難であった", "は軽快しなかった"))
            return f"{self.closed(sentence)}{rng.choice(('が', 'ものの'))}{target}{stays}"
        if draw < 0.62:
            change = mark("c", rng.choice(plans.GOOD_STATE if good else plans.BAD))
            return f"{sentence}、{rng.choice(('症状は', '病状は', '全身状態は', '自覚症状は', ''))}{change}{done}"
        if draw < 0.78 and tests:
            node = rng.choice(tests)
            value = self.value(node.core, "正常")
            return f"{sentence}、{mark('k', self.test_name(node.core), node.number)}は{mark('v', value)}{'まで' if value[0].isdigit() else 'となり'}{mark('c', rng.choice(plans.GOOD_TEST))}{done}"
        return re.sub("し$", self.end("した", "しました"), re.sub("い$", self.end("った", "いました"), sentence))

    def late_part(self, child):
        """A complication that came during the stay, with its findings."""
        rng, style = self.rng, self.style
        inner = [node for node in child.walk() if node is not child]
        felt = [node for node in inner if node.what in ("symptom", "sign", "site", "lab_state", "felt", "seen")]
        tests = [node for node in inner if node.what == "test"]
        exams = [node for node in inner if node.what == "exam"]
        deeper = [node for node in inner if node.what in DISEASES]
        when = self.later()
        parts = []
        if felt:
            marks = [self.d(node) for node in felt]
            parts.append(f"{when}{rng.choice(('に', 'より', 'から', '、'))}{self.say(marks, plans.SYMPTOM[:6])}")
        if tests:
            parts.append(style.list_gap.join(self.pair(node.core, node.label.rsplit("/", 1)[1], node.number)
                for node in tests) + rng.choice(("", "であった", "を示した")) * (not style.note and not style.polite))
        groups = {}
        for node in exams:
            groups.setdefault(node.exam, []).append(node)
        for exam, nodes in groups.items():
            parts.append(self.exam_sentence(exam, nodes))
        name = self.d(child)
        if deeper and rng.random() < 0.8:
            things = self.join([self.d(node) for node in deeper])
            name = rng.choice((f"{name}による{things}", f"{name}と{things}", f"{name}に伴う{things}", f"{things}を伴う{name}"))
        if style.note:
            parts.append(rng.choice((f"→{name}", f"{name}併発", f"{when} {name}")))
        elif parts:
            drug = self.drug(self.remedy()[0])
            parts.append(rng.choice((f"{name}として{drug}を{rng.choice(('追加した', '開始した', '投与した'))}",
                f"{name}に対し{drug}を{rng.choice(('投与し', '追加し', '開始し'))}{mark('c', rng.choice(plans.GOOD_STATE))}した",
                f"{name}を疑い{drug}を投与し{mark('c', '軽快')}した",
                f"{name}のため{rng.choice(('集中治療室へ入室した', '絶食とした', '補液を行った', '保存的に加療した'))}",
                f"{name}の{rng.choice(('合併', '併発'))}と診断した", f"{name}を併発したと考えられた", f"{name}と判断した", f"{name}を合併した",
                f"{name}を続発したものと考えた")) if not style.polite else f"{name}を合併したものと考えております")
        else:
            drug = self.drug(self.remedy()[0])
            parts.append(rng.choice((f"{when}に{name}を併発し、{drug}を追加した", f"経過中に{name}を合併した",
                f"{when}、{name}をきたし{mark('r', rng.choice(('集中治療', '人工呼吸管理', '血液透析', '緊急手術', '輸血')))}を要した",
                f"{when}に{name}を発症した", f"{name}が続発したが保存的に{mark('c', '軽快')}した")) if not style.polite
                else f"経過中に{name}を合併しました")
        return parts

    def adverse_part(self, exposure):
        """A treatment and the harm that it did."""
        rng, style = self.rng, self.style
        harm = exposure.children[0]
        drug = self.d(exposure)
        inner = [node for node in harm.walk() if node is not harm]
        effect = self.pair(harm.core, harm.label.rsplit("/", 1)[1],
            harm.number) + ("" if style.note else "となり") if harm.what == "test" else self.d(harm) + ("" if style.note
            else rng.choice(("が出現し", "を認め", "をきたし", "を生じ", "を発症し", "がみられ")))
        first = rng.choice(plans.ADVERSE[:2] + plans.ADVERSE[3:]).format(M=drug, x=self.later(), E=effect)
        parts = []
        felt = [node for node in inner if node.what in ("symptom", "sign", "site", "lab_state", "felt", "seen")]
        if felt:
            parts.append(self.say([self.d(node) for node in felt], plans.SYMPTOM[:6]))
        tests = [node for node in inner if node.what == "test"]
        if tests:
            parts.append(style.list_gap.join(self.pair(node.core, node.label.rsplit("/", 1)[1], node.number) for node in tests))
        groups = {}
        for node in inner:
            if node.what == "exam":
                groups.setdefault(node.exam, []).append(node)
        parts += [self.exam_sentence(exam, nodes) for exam, nodes in groups.items()]
        end = rng.choice(plans.ADVERSE_END).format(M=self.d(exposure) if rng.random() < 0.5 else "同薬"
            if f"{START}m" in drug else "これ", c=mark("c", rng.choice(plans.GOOD_STATE)))
        if style.polite:
            end = re.sub("した$", "しました", re.sub("られた$", "られます", end))
            return [first + "ました" if first.endswith(("し", "め", "じ", "れ")) else first + "ました", *parts, end]
        if not parts and end and not style.note:
            return [f"{first}、{end}"]
        return [self.closed(first) if not style.note else first, *parts, end]

    def course(self):
        rng, case, style = self.rng, self.case, self.style
        sentences = []
        if rng.random() < 0.5:
            sentences.append(self.suspicion())
        sentences.append(self.diagnosis())
        if case.thought and rng.random() < 0.75:
            sentences.insert(len(sentences) - (rng.random() < 0.65), self.doubt())
        if rng.random() < 0.8:
            if sentences[-1].endswith("と診断した") and rng.random() < 0.4:
                sentences[-1] = sentences[-1][:-1] + "、"
            sentences.append(self.therapy())
        for child in case.primary.children:
            if child.late and child.what in DISEASES:
                sentences += self.late_part(child)
                if rng.random() < 0.4:
                    sentences.append(self.therapy())
            elif child.what == "exposure":
                sentences += self.adverse_part(child)
        sentences += self.leftover()
        if rng.random() < 0.4 and not style.note:
            sentences.insert(rng.randint(1, len(sentences)), self.explanation())
        if rng.random() < 0.35:
            word = self.other("d-", rng.choice(("再発", "再燃", "合併症", "後遺症", "副作用", rng.choice(self.world.known))
                if self.good else ("合併症", "副作用", "他臓器障害", rng.choice(self.world.known))))
            sentences.append(rng.choice((f"以後{word}なく経過している", f"その後{word}はない", f"{word}を認めず退院した",
                f"{mark('x', f'{rng.randint(1, 9)}年間')}{word}なし", f"現在まで{word}をみていない", f"{word}の徴候はない") if self.good
                else (f"経過中{word}はなかった", f"{word}は認めていない", f"{word}なし")) if not style.polite
                else f"以後{word}なく経過しております")
        elif rng.random() < 0.4 and not style.note:
            outcome = rng.choice(plans.OUTCOME if self.good else plans.OUTCOME_BAD).replace("{n}", str(rng.randint(9, 90)))
            sentences.append(outcome if not style.polite else "今後ともよろしくお願い申し上げます")
        if self.good and rng.random() < 0.06:
            risk = mark("ds", self.surface(rng.choice(self.world.known)))
            sentences.append(rng.choice((f"{risk}に注意して経過観察中である", f"今後{risk}の発症に留意する",
                f"{risk}の予防目的に{self.drug(rng.choice(self.world.medicines))}を併用した", f"{risk}のリスクを説明した"))
                if not style.polite else f"{risk}に注意をお願いいたします")
        return self.run_on([sentence for sentence in sentences if sentence])

    def leftover(self):
        """Diseases between the primary disease and its findings that no sentence has named yet, and findings left over."""
        rng, case, style = self.rng, self.case, self.style
        sentences = []
        for node in [node for root in case.roots for node in root.walk()]:
            if node.what in DISEASES and node.number not in self.told and node is not case.primary:
                latent = len([child for child in node.children if child.number in self.told]) >= 1
                if latent and rng.random() < 0.6:
                    continue
                name = self.d(node)
                if node.parent is not None and node.parent.what in DISEASES and rng.random() < 0.5 and not style.note:
                    name = self.relate(node.parent, name)
                sentences.append(rng.choice((f"{name}を伴っていた", f"{name}の合併を認めた", f"{name}が考えられた", f"{name}も併存していた",
                    f"{name}の関与が示唆された", f"{name}を認めた", f"{name}を背景とした病態と考えられた") if not style.note and not style.polite
                    else (f"{name}あり", f"{name}合併", f"{name}") if style.note
                    else (f"{name}も合併しております", f"{name}を認めております")))
        rest = [node for node in case.nodes if node.number not in self.told
            and node.what in ("symptom", "sign", "site", "lab_state", "felt", "seen")]
        for group in self.grouped(rest):
            sentences.append(f"{rng.choice(('経過中', '入院後', 'その後', ''))}{self.say([self.d(node) for node in group], plans.SYMPTOM[:7])}")
        tests = [node for node in case.nodes if node.number not in self.told and node.what == "test"]
        if tests:
            sentences.append(style.list_gap.join(self.pair(node.core, node.label.rsplit("/", 1)[1], node.number)
                for node in tests) + ("" if style.note else self.end("であった", "でした", "")))
        groups = {}
        for node in case.nodes:
            if node.what == "exam" and node.number not in self.told:
                groups.setdefault(node.exam, []).append(node)
        sentences += [self.exam_sentence(exam, nodes) for exam, nodes in groups.items()]
        return sentences

    # -- the whole ----------------------------------------------------------------------------------------------------
    def heading(self, name):
        stock = (plans.SHORT_HEADINGS if self.style.note else plans.HEADINGS)[name]
        return self.rng.choice(stock)

    def write(self):
        return {"abstract": self.sections, "summary": self.sections, "note": self.sections, "flow": self.flow,
            "letter": self.letter}[self.style.kind]()

    def sections(self):
        rng, style = self.rng, self.style
        title = self.title() if style.titled else None
        parts = []
        if style.kind == "abstract" and rng.random() < 0.35:
            parts.append(("intro", self.intro()))
        first = self.who()
        complaint = self.complaint() if rng.random() < 0.75 else []
        complaint_text = "、".join(self.d(node) for node in complaint)
        with_history = rng.random() < 0.35
        past = [] if with_history else self.history()
        gap = rng.choice(("、", "、", "。", "，"))
        past_text = gap.join(self.about_past(*part) for part in past) if past else rng.choice(plans.NOTHING)
        parts.append(("case", ("症例は" if rng.random() < 0.2 and not style.note else "") + first + ("" if style.note else "。")))
        if style.kind == "summary" and rng.random() < 0.5:
            parts.append(("diagnosis", self.problem_list()))
        if complaint:
            parts.append(("complaint", complaint_text + ("。" if rng.random() < 0.5 else "")))
        if not with_history:
            parts.append(("past", past_text + ("。" if rng.random() < 0.6 else "")))
        if rng.random() < 0.3:
            parts.append(("family", self.family() + "。"))
        if rng.random() < 0.25:
            parts.append(("social", self.social() + "。"))
        parts.append(("present", self.present(with_history)))
        if rng.random() < 0.2 and len(parts) > 3:
            at = next(i for i, part in enumerate(parts) if part[0] == "present")
            parts.insert(rng.randint(2, at), parts.pop(at))
        parts.append(("signs", self.signs()))
        labs, images = self.labs(), self.run_on(self.images())
        if images and rng.random() < 0.45:
            parts += [("labs", labs), ("images", images)]
        else:
            parts.append(("labs", labs + ("\n" if style.note else "") + images))
        parts.append(("course", self.course()))
        if style.kind == "abstract" and rng.random() < 0.6 or style.kind == "summary" and rng.random() < 0.1:
            parts.append(("discussion", self.discussion()))
        merge = {"signs", "labs", "images"} if rng.random() < 0.25 else set()
        lines, before = [title] if title else [], None
        for name, body in parts:
            body = body.strip()
            if not body:
                continue
            word = self.heading(name)
            if (name in merge and before is not None) or not word or (name == "case" and style.kind == "summary"
                and rng.random() < 0.5):
                lines.append(body)
            else:
                lines.append(style.frame.format(word) + body)
            before = name
        joint = "\n" if style.lines else "" if style.frame[0] in "【＜〔" else "\n" if style.frame[0] in "■[#・" else " "
        if title and not style.lines:
            return title + "\n" + joint.join(lines[1:])
        return joint.join(lines)

    def problem_list(self):
        rng = self.rng
        diseases = [self.case.primary] + [node for node in self.case.root.walk() if node.what in DISEASES
            and node is not self.case.primary]
        diseases = diseases[: rng.choice((1, 2, 3))]
        names = [self.d(node) for node in diseases]
        if rng.random() < 0.6:
            number = rng.choice(("#{} ", "#{}. ", "{}. ", "{}) ", "({})", "#{}"))
            return rng.choice((" ", "　", "、", "\n")).join(number.format(at) + name for at, name in enumerate(names, 1))
        return "、".join(names)

    def flow(self):
        rng, style = self.rng, self.style
        text = self.title() + "\n" if style.titled else ""
        if rng.random() < 0.35:
            text += self.intro()
        text += rng.choice(("症例は", "症例は", "患者は", "", "症例：", "")) + self.who() + "。"
        if rng.random() < 0.3:
            complaint = self.complaint()
            if complaint:
                text += f"{rng.choice(('主訴は', '主訴：', '主訴は'))}{'、'.join(self.d(node) for node in complaint)}。"
        text += self.present(rng.random() < 0.85)
        if rng.random() < 0.1:
            text += f"家族歴：{self.family()}。"
        lead = rng.choice(("入院時、", "来院時", "初診時、", "入院時現症：", "", ""))
        signs = self.signs()
        text += (lead if signs else "") + signs
        lead = rng.choice(("検査所見では、", "血液検査では", "検査成績：", "", "", "入院時検査で"))
        labs = self.labs()
        text += (lead if labs.startswith(START) and labs[1] == "k" else "") + labs
        text += self.run_on(self.images())
        text += self.course()
        if rng.random() < 0.4:
            text += self.discussion()
        return text

    def letter(self):
        rng = self.rng
        complaint = self.complaint()
        subject = "、".join(self.d(node) for node in complaint) or self.d(self.case.primary)
        text = rng.choice(("平素より大変お世話になっております。", "いつもお世話になっております。", "拝復　", "診療情報提供書\n", "御侍史\n平素よりお世話になっております。",
            "ご紹介ありがとうございました。"))
        text += rng.choice((f"{subject}でご紹介いただきました{self.who()}についてご報告いたします。", f"{self.who()}、{subject}にて受診されました。",
            f"{subject}を主訴に受診された{self.who()}の方です。"))
        text += "\n" * (rng.random() < 0.6) + self.present(True)
        text += self.signs() + self.labs() + "\n" * (rng.random() < 0.5) + self.run_on(self.images())
        return text + self.course()
