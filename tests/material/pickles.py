"""Models pickled by scikit-learn 0.19.1 under Python 2.7, and its outputs for some features.

Made with the calls of the detectors' authors, on random numbers: `joblib.dump` of a logistic
regression and of a perceptron with one hidden unit (18 features), and `pickle.dump`, with protocol
0 there, of `[SVC, StandardScaler]` (12 features).
"""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np

TEXTURES = 70 + (np.arange(36).reshape(2, 18) * 37 % 101 - 50) * 0.2
POSES = (np.arange(24).reshape(2, 12) * 5 % 7 - 3).astype(float)
LOGISTIC = (0.36749224826698418, 0.99953711263931555)
PERCEPTRON = (0.90341339583439961, 0.88874330980050453)
PERCEPTRON_FEATURES = (TEXTURES - 70) / 50
MACHINE = (0.72820121430005047, 0.5)
DISTANCES = (-0.46481772520618225, -0.096999945901932977)


def write_python2(path: Path, which: str) -> Path:
    """Write the "logistic", "perceptron" or "machine" model in the bytes of Python 2."""
    path.write_bytes(zlib.decompress(base64.b85decode("".join(_FILES[which].split()))))
    return path


_FILES = {
    "logistic": """
        c-m!>T}TvB6oB{F)$w1m)HKsd*Ua%ZQxk^rVX29wjN1=I)6DF3XKZ$6&djX3(Skmh8bRbkkD(wLWf277gEV5VJw-
        %4BoRmtQ7A&xOExpR7~*-DI~UG9_xsMdBOYGAAz@aNNlBEgm5C`4ERm8D6?H@8i8JY+J{;Asu8WFHfUABK+)3~R5
        i!JSF-A97%>eHta`%ESM6J1;Kp8SKpl~|)X*UWCVvSRD3>mZw<@SpPBgzKWc&r)_m_Ql2B3T)biLxY-OOZep%H$<
        h*Rjq3v4x3;t#dLf>7-TMN+#uaOieJV$Xf|S*xsDbG&XTjV^tMv1Y}#ZIZ4P3B7ek4s2K8i=Lq5K2*^hsu@eet7w
        sO0!agVp(q825f#PsDe0tLg=R>;;*u^2gF0fXK652BcyOCefA{O-?!G|*SIOotpX}Y`|VQmfq$`HXyk}|}^Vyp_~
        6LHR!4tIJ*0htjkEe7@qHf}`{DuY6vV57Cez7$$jAM8(~RqsHn;e-;}Jq8B^3q~jv$^`o!!meGo)oDiOS*y2EIA~
        8q#a0)M1RO#hsTFEbb}TL#B9oG+LtbT2gCNS$SUI9NGd3{Phfx8Oo&;kJ%zh7W7-ck*EnQ>_G$3Cj&Ps4(5_t_pg
        2oV4-tqN&MQ<bW^9t@~fOPztlF*#?>+gh?lwWHfw59#pclaH3{OF?F(6P;s3*Gv0ulNl$cmJ)rvOHs+y;>Xgou8-
        jXQ@A3E1#(Bhtjvrlk?`^(Yv!%=N8SMbJ2~;sReWW`3!rhZpM82VYu{BXvF-rap7IZ>N3^zqPyYx+DG$Q0<R8CPn
        (0|5j6GrvH89vaB6aGiK_L!dI>d8s6ub+gPt!7X8u08xA^rEb&dR89h+V>5%Is<aLkeIOhT6}+m@P8_cs2UEqAW0
        Uv4u|W{e$n-T)k@BPhq20yBigs9-=(IL?v(0QT@$jQ
    """,
    "perceptron": """
        c-qZYe{>Yp8O?@dH<@H1iOA1Df>2zfY!g681ephkEM-XuDNj(FjBjTrnF+Hq^Ucg|vcRacCS+R>Dj14|({pMK6iQ
        2hYN(Z%)>CQ=SP9B0ZBab6)mo0tvHk$<p>JnGk~x+CJAcfcH|OrW``vrL@6BVGys<$Rh^_<`A+8gdQv|bB)i(rVa
        oLn)k`#1K6LenCOkGu&npJgGGBFIPNfLAhGG=W7j|G_loN00}D%^&Bh8S;Zk_E`>#J+@}M^r<A>=b4cPK}#d+%!1
        whCO%;U2%jrr35i0RpG#gb7ZwyGE9kw9Gt_acM&K!cZi_SW(vAOWFy$3Mr0`xRN^r$$!QW#0ZeUru~gSda-B{zEz
        ORh?D8zg58&*mnbZXE^Y&jDd&R(LoGDenm~ckevlR;Jp)e30g*}U*sJ6Ct<qdk-w{V6Dw?%NaArktEvEj^ixE*J!
        dQ{M19QIVfc${OzBQ{}}Ft~#fC21-QOvDV4Wwn)y#fS!zI^&Uy!OJuFiwiiJL<E_OND9%Vjr6sXhicYzLDN-Upo%
        NaK^w=cO5c~=1T#=f%ba4t)Bw&^gl6YuP!i6-enTU=A#jpHb?2ZoHT1->0;Z+JTrsWE9TrRvh<>q9wCkH8juXd=6
        U2$)7ZUa*xwL>Bd<lDP(n*+!b2Zf%-1|=IZvi)00!Kq&P=_Iay=B4j%3wLnibwEm2_j2T$NMHd9Rv!wE5x4Mo4%g
        LeoiM!RE=?lNlXD|*V5uRJB~CHU#33!6i%Xf;9yQT6X(0Y!ElBc5NF|RSv4s7D~=~YUeyIB){Zv@Ph>*%D-&rDnk
        t~&3BufZm^T=N`TrAyyCXP<DS5Vgg>MFe1s$-k9xCuCQ<b4I#7<i9_WQ+EbFi0Jg(kZ3Jq@rZVC%csf_u~Y&ZGJk
        g*_dx#HBE~7q9$r!C^LXvhUN@<LB6p*SG(*X!MJ$r~l!dN6#K)C;Toy)Uffn-k+VG_G<ivm)VY@zWsr=W4*um@O!
        %+@c)@@>3a2tJNLcCmXh~Q1iXE{&)kjlf<Ikg|I^u*acTbd*@gR?N1rb^&Tcwz`rSF3FSDt{{(+v)F89WNe@Q0&f
        9d_@8)qJUam|(9t4nszoOI?QYjb8TKsPyi(wvvNIKRe*fAUW9->iWBw$C)5)H166GTOYVLY+`dsKPlhH6|!#JO<S
        v_Md0c*ICR&1jFPUckUC*#CbSpeA`P$)_AF?%R3-c4=b=w&<shYq4;WO$$iNu-Y(mA4{fEPfdMOVmM+L~2-7V{o1
        Fz%MWet(h{=nbL3;yga2AQ1D%8@P3MS#oVf8SHJV`N~!A4osHNYCjs(K5)HdJ;ytaTezx$UWiSNa`+um$&zK(2Ek
        r=Jpz{{4~bRGw@iYa)U5!`U89^^%h`tg5C_+2DZ`&a=hf<9dR&)q@T25N2A5ZU<U7;p-`!l?FhAJtS@ApmDIMxxj
        _k4?a2f$8lR{<06GBE9h#%;D&^MxD$H~Ri=FigbETRF^J$IQHn-|!IrYsGJsE)5yd`DZKcml5JK!*gDuZ+s%A<td
        pb4U>c~h}#ET?7!iV7ovy|?*`sR{>W-6U%ffNvj%@Bu65QqI1mpR$s*0+S-zZhhpr2{t9gN!p12E-abaU4@E&|J+
        0E+@KQ+S*;y?nT!R{pzD=#E%+R1TU1l;YBSwQayXSK4UkPH3Hw`M|BtTYwl{yMeD^yC$3j!p*!^7p55_+7ZnW5f9
        REWeW<bU?E2Mz@S>;h{OR(U2gaiQ$`7hGhJ5Ig$vZ#xdGe4hue#P)>qpP$9mnNYN1->btt;uCosSNgQ$PJ&@Sx`h
        c2w_s)`x7)x&?--xl9-5Q(fchkC!nHHf}*;M9x}W$hy8gN4jQIJBe(wAUOiL(S<x(R&;pvjY^tGFFgcE%z#Y|u-T
        E&vfvSygpdCJ&!@*M*y57#8(%n|Z0t8JczlE~?YC~~4hy!9Kz81usXZp7=&;G8Dt@a0zU`>E&4TSN6`yeZyQE?*|
        4e%^Dmyamm~Uk%sylQ!ez2z)^)Gz$2WtH|RQK|{U6)8Hnw!c!|F7z)X!F&c{A0e!Xu)oM{=oyqD8J(5>)HGiBwh&
        ?oIX*E8iR{p8(TLWWn7n0<VG=yd|WtV`=S!$St}20sxC#{i}oE`eqj=dzOv_?lE0Op!@u4#<{yO<5qVNN_gv)^Ct
        N!$*y&R7J1)*Ej%@pA->In%_DKtNjnHPd3t2%vynorXUpOj0WkJ^n<Q^At*5mJ?2M_(6s#xSYIp}waWWsktY+a=0
        {J@Vsr(X%TbBfAIG5QIV5Yp3(<JCAlR`!NH;z(TZzmjzzOa
    """,
    "machine": """
        c-oy=ZFAhV5&q6!5xeO~9oH9v1WBNEO4*)zs(w(Xl_%|F&SpRmJY94z9FliFHPig|?gNn0z4GK_MrQ&GEOwuL!7g
        $+t9(!EW%ZENX5!J0UM`xpUg>sOdlmC8b#p&6s$Ptm^?amfs%cE)-Tv_2s{&7FS-zUi+UX+8yk-8g(XCg7-c4I^?
        _X8qT^3dB-CktVc{RK6s)W9E)~q#s3$MAoxHt8}fFg-f=OukHAB453^JQZ&X5O`L=c;;{t9&|}whx#OXr5udlPSY
        w=;_63UOkNTvNognibPX&tsZt1qjjA0vJ1UM;TBYk#J%>twqg)D2e$+xL7Fg0G{WLKpqaq$4)Kcip)!O6QEo4$g0
        =*Z%A=*UEToMA9dsQMzc(O8-p$R;^=r}ye>f|My&US@UW_-sf98)3(ZL_`2Exk;lx9^`%en<9f%GO&c=D)W=+g`q
        hm2$lgHAbtnb4bb`f%DC@<)Bb2y5dleZu5GpHK|w6YP!o-Z(y^Z@4#(_QuH`9-$<OxNq?&R%({%r73|3XZwiophJ
        YiYMgh7kX8VNM?EMdjLhRlP<VpnVha>54?v0h9+db09&eIzyeYy@^drX`Q;auxdD^a}@8~+B4N})M6VlM+&)asIo
        >n6#K~VtdKN3%!(h*|35%Igbe~dSbL%ej53F#XFhA41OcUMmr_tV7$^Wjc>W?#&7a@T^uy&Ia%CTc!c7)Ra*f8>j
        B_rE^k-@;%~yl=25=?oSjJ|p>Pu(pcHyU8RD@s}&8`70r)plEbO++w@RiJUc+s%@f)!#>e$3yjlazJGcgb*INMog
        OD!*&!BNrw@X64%ry)n>hEa)uLF=v!+!oWKFDRS@B(R&M09v)8zuRfDZOYOpX{v7RYvK(=WG3cUGZTK#(L3eoQS^
        7{^cJY%7Z-$vy~)=s-v$fgt=X5CjES7(ao)haw-Bf!!2#PNXW6l~a4F;5IK^GrJ&yRPQlOLNX_0FXGzZ#<I77I1p
        9zq6&yA{l|po7)!Qgv%l43nUce05TJra0;8OSRuXBbC6aLg#_*vPEun}k*^l(2)0Cpg*A=ZOzHwA6MW{28d=E~P$
        &AFbL{!tJ{0I6VGz{3~=|72~{0t94>{CpZ9h2>xp`+i^CQNEfyrUUkLZnaM(p;Az7;R*E`jS|g@`;ZOT;#Km4lXE
        >GD@~4N?n#MXduib&5%e8Nuoq<Kt>P>0y^<k0-(TfF{O2szH<^)6+b~vY=AV;i-+oGTF+CrLFUNR<@)1OmNM+akK
        +p@p3wUKE1HhpyhTc)abP$90^uQ6;W86=mymY=5l3`3gZ_@0g;S;z2S#ZC#Q$Ewq$y=R6PnuX7sj1v;er<wv{9EN
        z6h+D2NA&;4Irg~{~!8LPg#2pm+xMTTc;F`L<Tk?G0%xtPCJT(W(sS(Bt79T^bv#ZB*3?1zLWTj*T5ja!GsW${$R
        z(QG`DpyDz0i&ZPjL<(SOq1ADAA_9tzN-n@W<m?%gFgjMNqVY<6l@(#gMAdw{sCFwVpByJw0_n(Qc_`U-ll>)oM;
        PVE#g!GikIkFX(zx@=$_g64s>ZG)h5Or6a&brI(C^Y5_G)H`=6Z)9@ye5Ini!V-3tD@{cR8ExwnI-s$0HA??&VBs
        +FM#*&E{|$NatX?Q+DTuoNrm{Wb5VP*<fn7au%xF^`usaLor@)ae~KAh{29d#V1x(YpqK!MU$W3SisaA)h6~TS@M
        )};P}`+5WMPH^%MY#&T<BPw4WwqIQ<s1XYCFi?%d*4&WQIHeQ~I?SNnX4177S4~8)RqXgYxvva2lZF*|`Y*00h*Z
        9MSPPes!_LiJi+=$Ov#H6QuibHt0da&CN6Ku3>0Shxu1s=}Nu%Kws*UvvhB&6L;71pcza-O1R`G?FnC;TiW#Yb=O
        z#Qt;)@5B<O5UbVI6Ky;!1wq=kjz_OiQNgfoxvM+umieH)R_DXWQ{yoy~q-Sd4gH9*?%|$eHJJRO#SNdM3^PG+fc
        %Uk0e%Do+Np0*a1r^oTw$wINGo9H&ocY0HDLq%4Y}%UIPKUNNwA=L*ReM&h7P`fUEq?7HPVg<)ZiB6RQ4yp5U%8h
        KKki$A>4F$*Q?+jXp!j8eU;Q#4<u7CYR=331cJccy)Xf8jnXN$L)IP!lcByla-2>TygD}>62xGB5Fxfd!3?JA5&6
        q_xa7d#Sd}q%K4w`os^xZqNk1j0W+vf$*PDh4Jt5KY=Uy-_h>9eHe9or3wJyI)uXR>DcUu%$nI0UXg>^oN$;Mq#8
        +NFJZB3iB{+b?ESZAflynudDfQK4Gp-L?uZPQ|TOGlK`V5Umnk%vcyecItdD3;GB4pBuGs&sx!e&SBi^942<3=yk
        TH3gz?KP(AGSg&2r1eeRV(oMC=;|G?q)x#G9Jf0#3p8GrEP;m!Kdow&6WXV#s*OxwE*7PXYe*UPo4t%-SfU}DaD6
        LY-1F&^)jm?zINu`%f>C2_M{4G_iEX}0VXQQHD<XlHbkSe>MF+xSu9PcMe{1V@SDn*j-|F@yzJx(5k_s<lz%AJ`~
        jy^SIpzEQYiqloX=s8Ba3NEsSBSB_ij=xBqo&NVU=$@Yf7L*eksRhKG`ZNoG=C}GKfsMf^mdtyU;^<!&<rrx-EBb
        V6l(U!%oLO=_O?K%I>Ewz+WmB`FxOf(=Y#%}ani7ilOuKUn>?c&|{uQDegrtzu(0Z_E~@xa*@-N+&qKSfK^7M76o
        !9o|LnpZQ^WQ{Q{HAVt;M>9$24sefM_@5b;BHgxJjs6dAUcPq
    """,
}
